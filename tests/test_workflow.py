"""The whole workflow on a tiny scale: it runs, repeats itself, and redoes what a change touches."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import ROOT, copy_project

ENVIRONMENT = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": "/tmp"}
ARTEFACTS = ("*.csv", "*.zip", "*.safetensors", "*.npz", "table*.json")


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["snakemake", "--cores", "2", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def run(folder: Path, *arguments: str) -> str:
    done = snakemake(folder, *arguments)
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def planned(folder: Path, *arguments: str) -> Counter[str]:
    """The rules that a dry run would execute, with the number of jobs of each."""
    rules = re.findall(r"^(?:local)?rule (\w+):", run(folder, "-n", *arguments), flags=re.M)
    return Counter(rule for rule in rules if rule != "all")


def planned_outputs(folder: Path) -> set[str]:
    lines = re.findall(r"^    output: (.*)$", run(folder, "-n"), flags=re.M)
    return {line.split(",")[0] for line in lines}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny copy of the project, run to its tables."""
    folder = copy_project(tmp_path_factory.mktemp("run") / "a folder's #1 & (copy)")
    run(folder)
    return folder


@pytest.fixture
def edited(project):
    """Edits a file of the project, and takes the edit back afterwards."""
    before: dict[Path, str] = {}

    def edit(file: str, old: str, new: str) -> None:
        path = project / file
        text = path.read_text()
        assert old in text
        before.setdefault(path, text)
        path.write_text(text.replace(old, new, 1))

    yield edit
    for path, text in before.items():
        path.write_text(text)


def set_key(edited, project: Path, file: str, keys: list[str], value: object) -> None:
    content = yaml.safe_load((project / file).read_text())
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    old = (project / file).read_text()
    edited(file, old, yaml.safe_dump(content, sort_keys=False))


def test_the_tables_hold_our_numbers_beside_the_papers(project):
    table = pd.read_csv(project / "results/table3.csv")
    assert table["paper"].tolist() == [85.6, 87.0]
    assert table["ours"].between(0, 100).all()
    assert (table["interval_low"] <= table["ours"]).all()
    assert table["our_dataset"].tolist() == ["demo_a"] * 2 and table["test_videos"].tolist() == [6, 6]


def test_a_second_call_has_nothing_to_do(project):
    assert "Nothing to be done" in run(project, "-n")


def test_two_runs_from_scratch_give_the_same_bytes(project, tmp_path):
    run(copy_project(tmp_path))
    folders = ("data", "models", "scores", "results")
    files = [file for name in folders for p in ARTEFACTS for file in (tmp_path / name).rglob(p)]
    assert len(files) > 30
    for file in files:
        if not file.name.endswith(".record.json"):
            assert file.read_bytes() == (project / file.relative_to(tmp_path)).read_bytes(), file


def test_one_runs_dropout_redoes_that_run_and_what_shows_it(project, edited):
    set_key(edited, project, "config/benchmark.yaml", ["runs", "bidirectional-10", "dropout"], 0.8)
    assert planned_outputs(project) == {
        "models/temporal/bidirectional-10/demo_a-split1-seed0.safetensors",
        "scores/temporal/bidirectional-10/demo_a-split1-seed0.npz",
        "scores/fused/bidirectional-average/demo_a-split1-seed0.npz",
        "results/table3.csv",
    }


def test_words_redo_nothing(project, edited):
    edited("README.md", "#", "# More words.\n#")
    edited("scripts/twostream/training.py", "import", "# Why.\nimport")
    edited("scripts/extract_flow.py", '"""', '"""Other words. ')
    assert planned(project) == {}


def test_a_flow_module_redoes_extraction_and_what_follows_but_no_spatial_run(project, edited):
    edited("scripts/twostream/flow.py", "PRESET_MEDIUM", "PRESET_FAST")
    jobs = planned(project)
    assert jobs["extract_flow"] == 3
    assert {"generate_videos", "extract_frames", "pretrain"}.isdisjoint(jobs)
    assert not any("spatial" in output for output in planned_outputs(project))


def test_a_fusion_module_redoes_fusion_and_tables_alone(project, edited):
    edited("scripts/twostream/fusion.py", "/ 2", "* 0.5")
    assert planned(project) == {"fuse_streams": 2, "make_table": 1}


def test_only_extra_test_frames_score_again_but_train_nothing(project, edited):
    set_key(edited, project, "config/scale/demo.yaml", ["testing", "frames"], 3)
    assert set(planned(project)) == {"score_videos", "fuse_streams", "make_table"}


def test_a_bad_configuration_stops_before_any_job_with_one_clear_message(project, edited):
    set_key(edited, project, "config/benchmark.yaml", ["runs", "flow-10", "droput"], 0.8)
    done = snakemake(project)
    assert done.returncode != 0
    assert "config/benchmark.yaml: runs.flow-10.droput: unknown key" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_job_that_fails_leaves_nothing_that_could_be_taken_for_whole(project, edited):
    edited(
        "scripts/twostream/tables.py", "return pd.DataFrame", "raise SystemExit(3)\n    return pd.DataFrame"
    )
    done = snakemake(project, "results/table3.csv")
    assert done.returncode != 0
    assert not list((project / "results").glob("table3*"))


def test_a_job_that_failed_is_done_at_the_next_call(project):
    assert planned(project, "results/table3.csv") in ({}, {"make_table": 1})
    run(project)
    assert "Nothing to be done" in run(project, "-n")


def test_a_users_folder_goes_through_both_streams_and_their_fusion(project, edited):
    videos = project / "my videos"
    (project / "data/videos/demo_b").rename(videos)
    try:
        settings = yaml.safe_load((project / "config/scale/demo.yaml").read_text())
        settings["datasets"]["mine"] = {
            "source": {"kind": "folder", "folder": str(videos)},
            "splits": 1,
            "shards": 2,
        }
        old = (project / "config/scale/demo.yaml").read_text()
        edited("config/scale/demo.yaml", old, yaml.safe_dump(settings, sort_keys=False))
        run(project, "scores/fused/bidirectional-average/mine-split1-seed0.npz")
        index = pd.read_csv(project / "data/videos/mine.csv")
        assert set(index["split1"]) == {"train", "test"}
        assert len(pd.read_csv(project / "data/videos/mine-skipped.csv")) == 0
        (videos / "DiscAcross/extra.avi").write_bytes(b"broken")
        done = snakemake(project, "data/videos/mine.csv")
        assert "DiscAcross/extra.avi: no frame can be decoded" in done.stdout
    finally:
        (videos / "DiscAcross/extra.avi").unlink(missing_ok=True)
        videos.rename(project / "data/videos/demo_b")


def test_the_default_scale_plans_thirty_trainings():
    jobs = planned(ROOT, "--forceall")
    assert jobs["train_stream"] + jobs["pretrain"] == 30
    assert jobs["make_table"] == 5

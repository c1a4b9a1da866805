"""The whole workflow on a tiny scale: it runs, repeats itself, and redoes what a change touches."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import COLD, ENVIRONMENT, ROOT, artefacts, planned, run, snakemake

from twostream.scores.score_file import read_scores

FOLDERS = ("data", "models", "scores", "results")


def wait_until(condition: Callable[[], bool], call: subprocess.Popen[str], folder: Path) -> None:
    """Returns once the condition holds; fails if the call ends before that, or after five minutes."""
    deadline = time.monotonic() + 300
    while not condition():
        ended = call.poll() is not None
        assert not ended and time.monotonic() < deadline, (folder / "snakemake.log").read_text()[-5000:]
        time.sleep(0.02)


def planned_outputs(folder: Path, *arguments: str) -> set[str]:
    lines = re.findall(r"^    output: (.*)$", run(folder, "-n", *arguments), flags=re.M)
    return {line.split(",")[0] for line in lines}


@pytest.fixture(scope="module")
def project(built, tmp_path_factory) -> Path:
    """The tiny project with its tables, for edits that are taken back."""
    return shutil.copytree(built, tmp_path_factory.mktemp("run") / "a folder's #1 & (copy)")


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def started() -> Iterator[Start]:
    """Starts Snakemake and goes on; what is still alive of it at the end is killed."""
    calls = []

    def start(
        folder: Path, *arguments: str, environment: dict[str, str] = ENVIRONMENT
    ) -> subprocess.Popen[str]:
        with (folder / "snakemake.log").open("w") as log:
            call = subprocess.Popen(
                ["snakemake", "--cores", "2", *arguments],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        calls.append(call)
        return call

    yield start
    for call in calls:
        if alive(call):
            os.killpg(call.pid, signal.SIGKILL)
        call.wait()


def alive(call: subprocess.Popen[str]) -> bool:
    """Whether anything is left of a call: itself, or jobs of its."""
    call.poll()
    try:
        os.killpg(call.pid, 0)
    except ProcessLookupError:
        return False
    return True


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


def test_what_a_run_has_cost_is_told_by_stage_beside_what_was_asked_for(project):
    command = ["python", "scripts/show_costs.py"]
    done = subprocess.run(command, cwd=project, env=ENVIRONMENT, capture_output=True, text=True)
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()[1:]}
    made = planned(project, "--forceall", "all", "figures")
    assert {rule: int(rows[rule][0]) for rule in rows if rule != "all"} == {
        rule: count for rule, count in made.items() if rule != "all"
    }
    assert rows["all"][1] == "0", "jobs that tell nothing"
    peak, asked = (float(cell.replace(",", "")) for cell in rows["train_stream"][-2:])
    assert 200 < peak < asked
    seconds = [
        json.loads(run.read_text())["cpu_seconds"]
        for run in (project / "scratch/runs/models").rglob("*.json")
    ]
    hours = sum(float(rows[rule][4]) for rule in ("train_stream", "pretrain") if rule in rows)
    assert hours == pytest.approx(sum(seconds) / 3600, abs=0.011)


def test_what_is_current_does_not_hang_on_times_or_on_what_snakemake_remembers(project):
    shutil.rmtree(project / ".snakemake")
    shutil.rmtree(project / "scratch")
    files = [file for name in FOLDERS for file in (project / name).rglob("*") if file.is_file()]
    for number, file in enumerate(sorted(files, reverse=True)):
        os.utime(file, (10**9 + number, 10**9 + number))
    assert "Nothing to be done" in run(project, "-n")
    for file in files[::3]:
        file.touch()
    assert "Nothing to be done" in run(project, "-n")


def test_an_edit_is_seen_whatever_snakemake_remembers(project, edited):
    shutil.rmtree(project / ".snakemake")
    set_key(edited, project, "config/benchmark.yaml", ["runs", "bidirectional-10", "dropout"], 0.8)
    assert planned(project) == {"train_stream": 1, "score_videos": 1, "fuse_streams": 1, "make_table": 1}


def test_an_artefact_changed_by_hand_is_refused(project):
    scores = project / "scores/temporal/bidirectional-10/demo_a-split1-seed0.npz"
    before = scores.read_bytes()
    scores.write_bytes(before + b"changed")
    done = snakemake(project, "-n")
    assert done.returncode != 0
    assert "demo_a-split1-seed0.npz: is not what the record says it was" in done.stdout
    assert "Traceback" not in done.stdout
    scores.write_bytes(before)
    assert "Nothing to be done" in run(project, "-n")


def test_an_artefact_without_its_record_is_refused(project):
    record = project / "results/table3.record.json"
    shutil.rmtree(project / "scratch/specs", ignore_errors=True)
    record.rename(project / "kept")
    assert "results/table3.csv: is here without its record" in snakemake(project, "-n").stdout
    (project / "kept").rename(record)
    assert "Nothing to be done" in run(project, "-n")


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
    edited("scripts/twostream/training/trainer.py", "from dataclasses", "# Why.\nfrom dataclasses")
    edited("scripts/extract_flow.py", '"""', '"""Other words. ')
    assert planned(project) == {}


def test_a_flow_module_redoes_extraction_and_what_follows_but_no_spatial_run(project, edited):
    edited("scripts/twostream/flow/algorithms/dis.py", "PRESET_MEDIUM", "PRESET_FAST")
    assert planned(project) == {}, "nothing is made by that algorithm"
    edited("scripts/twostream/flow/algorithms/brox.py", "GPU_PAIRS = 256", "GPU_PAIRS = 128")
    jobs = planned(project)
    assert jobs["extract_flow"] == 3
    assert {"generate_videos", "extract_frames", "pretrain"}.isdisjoint(jobs)
    assert not any("spatial" in output for output in planned_outputs(project))


def test_a_fusion_module_redoes_fusion_and_tables_alone(project, edited):
    edited("scripts/twostream/scores/fusion.py", "/ len(streams)", "* (1 / len(streams))")
    assert planned(project) == {"fuse_streams": 2, "make_table": 1, "check_claims": 1, "compare_trial": 1}


def test_what_no_model_depends_on_redoes_no_model(project, edited):
    for module in ("results/accuracy", "flow/colour", "provenance/records", "cli", "extraction/folder"):
        edited(f"scripts/twostream/{module}.py", "\n\n\n", "\nextra = 1\n\n\n")
    assert planned(project) == {"make_table": 2, "check_claims": 1, "compare_trial": 1}


def test_the_device_redoes_nothing(project):
    assert planned(project, "--config", "device=cuda", "--") == {}


def test_a_job_asks_for_a_gpu_only_where_the_device_is_one(project):
    def gpu_jobs(device: str) -> set[str]:
        text = run(project, "-n", "--forceall", "--config", f"device={device}", "--")
        jobs = re.split(r"^(?:local)?rule ", text, flags=re.M)[1:]
        return {job.split(":")[0] for job in jobs if "gpu=1" in job}

    assert gpu_jobs("cpu") == set()
    assert gpu_jobs("cuda") == {
        *("extract_flow", "pretrain", "train_stream"),
        *("score_videos", "score_trial"),
    }


def test_several_gpus_are_given_to_each_training_by_torchrun(project):
    settings = ("--config", "device=cuda", "gpus=2", "workers=3")
    text = run(project, "-n", "--forceall", "--cores", "64", *settings, "--")
    jobs = re.split(r"^(?:local)?rule ", text, flags=re.M)[1:]
    threads = {job.split(":")[0]: "threads: 8" in job for job in jobs}
    launched = {
        job.split(":")[0] for job in jobs if "torchrun --standalone --nproc-per-node 2 scripts" in job
    }
    assert launched == {"pretrain", "train_stream"} == {rule for rule, many in threads.items() if many}


def test_only_extra_test_frames_score_again_but_train_nothing(project, edited):
    set_key(edited, project, "config/scale/demo.yaml", ["testing", "frames"], 3)
    assert set(planned(project)) == {
        *("score_videos", "fuse_streams", "make_table", "check_claims"),
        *("score_trial", "compare_trial"),
    }


def test_a_bad_configuration_stops_before_any_job_with_one_clear_message(project, edited):
    set_key(edited, project, "config/benchmark.yaml", ["runs", "flow-10", "droput"], 0.8)
    done = snakemake(project)
    assert done.returncode != 0
    assert "config/benchmark.yaml: runs.flow-10.droput: unknown key" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_job_that_fails_leaves_nothing_and_is_done_at_the_next_call(project, edited):
    edited(
        "scripts/twostream/results/tables.py",
        "return pd.DataFrame",
        "raise SystemExit(3)\n    return pd.DataFrame",
    )
    done = snakemake(project, "results/table3.csv")
    assert done.returncode != 0
    assert not list((project / "results").glob("table3*"))
    (project / "scripts/twostream/results/tables.py").write_text(
        (ROOT / "scripts/twostream/results/tables.py").read_text()
    )
    assert planned(project, "results/table3.csv") == {"make_table": 1}
    run(project)
    assert "Nothing to be done" in run(project, "-n")


def test_a_killed_job_leaves_nothing_that_could_be_taken_for_whole(project, edited):
    edited("scripts/twostream/networks/model_file.py", "save_file(weights, part, metadata)", KILLED)
    model = "models/temporal/bidirectional-10/demo_a-split1-seed0.safetensors"
    before = (project / model).read_bytes()
    assert snakemake(project, model).returncode != 0
    assert not (project / model).exists()
    (project / "scripts/twostream/networks/model_file.py").write_text(
        (ROOT / "scripts/twostream/networks/model_file.py").read_text()
    )
    assert planned(project, model) == {"train_stream": 1}
    run(project, model)
    assert (project / model).read_bytes() == before


KILLED = """part.write_bytes(b"half")
        import os, signal

        os.kill(os.getpid(), signal.SIGKILL)"""

BEFORE_WORK = "\n            remove_earlier(args.out)"
PAUSE = f"""{BEFORE_WORK}
            import pathlib, time

            pathlib.Path("at work").write_text(os.environ["TWOSTREAM_CALL"])
            while not pathlib.Path("go on").exists():
                time.sleep(0.05)"""


def what_is_in(log: Path) -> str:
    """The text of a log, which Snakemake takes away for a moment before its job starts."""
    try:
        return log.read_text()
    except FileNotFoundError:
        return ""


def test_a_second_call_is_told_who_is_at_work_and_what_a_dead_ones_job_makes_is_not_made_again(
    project, edited, started
):
    table = project / "results/table3.csv"
    before = table.read_bytes()
    edited("scripts/twostream/cli.py", BEFORE_WORK, PAUSE)
    # A process of its own, as it says which it is.
    first = started(project, "--forcerun", "make_table", "--", "results/table3.csv", environment=COLD)
    wait_until((project / "at work").exists, first, project)
    second = snakemake(project, "--forcerun", "make_table", "--", "results/table2.csv")
    assert second.returncode != 0
    assert f"another call of snakemake is at work in this folder: process {first.pid} on " in second.stdout
    assert "Traceback" not in second.stdout
    assert planned(project, "--forcerun", "make_table", "--", "results/table2.csv") == {"make_table": 1}
    assert first.poll() is None
    first.kill()
    first.wait()
    assert alive(first), "the job should have outlived its call"
    third = started(project, "results/table3.csv")
    log = project / "logs/make_table/table3.log"
    waiting = "results/table3.csv: waiting for process "
    wait_until(lambda: waiting in what_is_in(log), third, project)
    assert f"process {first.pid} " in (project / "at work").read_text()
    (project / "go on").touch()
    assert third.wait() == 0
    assert "results/table3.csv: has been made meanwhile" in log.read_text()
    assert f"process {first.pid} " in (project / "at work").read_text()
    assert table.read_bytes() == before
    assert "Nothing to be done" in run(project, "-n")


def made(folder: Path) -> int:
    return len(list(folder.rglob("*.record.json")))


def test_a_run_killed_at_ten_moments_ends_as_if_it_had_never_been(project, started, tmp_path):
    # With what Python and numba have compiled, so that most of the time goes into jobs.
    outputs = ("data", "models", "scores", "results", "logs", "scratch", ".snakemake")
    folder = shutil.copytree(
        project, tmp_path / "killed", ignore=lambda place, _: outputs if Path(place) == project else ()
    )
    jobs = planned(folder).total()
    chance, orphaned = random.Random(4), 0
    for moment in range(10):
        alone = moment % 2 == 0
        # One that is killed alone is a process of its own: it is gone at once. The others are faster.
        call = started(folder, environment=COLD if alone else ENVIRONMENT)
        # All over the run: in a call's start, in early jobs and in late ones.
        wait_until(lambda done=jobs * moment // 12: made(folder) >= done, call, folder)
        time.sleep(chance.uniform(0, 3 if alone else 1))
        assert call.poll() is None, (folder / "snakemake.log").read_text()
        if alone:
            call.kill()
            call.wait()
            orphaned += alive(call)
        else:
            os.killpg(call.pid, signal.SIGKILL)
            call.wait()
    assert orphaned > 0, "no job outlived its call: the moments are badly chosen"
    run(folder)
    undisturbed = artefacts(project)
    assert all((folder / file).exists() for file in planned_outputs(folder, "--forceall"))
    for path, file in artefacts(folder).items():
        assert path in undisturbed, "left behind"
        assert file.read_bytes() == undisturbed[path].read_bytes(), path
    assert "Nothing to be done" in run(folder, "-n")


ODD = "it's (1) & #2; ~+@![x].avi"


@pytest.fixture
def own_videos(project, edited, tmp_path):
    """A user's folder with odd names, as a dataset `mine`; returns the folder."""
    videos = tmp_path / "my videos & more"
    shutil.copytree(project / "data/videos/demo_b", videos)
    (videos / "DiscAcross").rename(videos / "Disc & (across)")
    first = next((videos / "Disc & (across)").iterdir())
    first.rename(first.with_name(f"v_g01_{ODD}"))
    settings = yaml.safe_load((project / "config/scale/demo.yaml").read_text())
    source = {"kind": "folder", "folder": str(videos)}
    settings["datasets"]["mine"] = {"source": source, "splits": 1, "shards": 2}
    old = (project / "config/scale/demo.yaml").read_text()
    edited("config/scale/demo.yaml", old, yaml.safe_dump(settings, sort_keys=False))
    return videos


def test_a_users_folder_goes_through_both_streams_and_their_fusion(project, edited, own_videos):
    fused = "scores/fused/bidirectional-average/mine-split1-seed0.npz"
    run(project, fused)
    scored = read_scores(project / fused)
    assert f"Disc & (across)/v_g01_{ODD}" in scored.videos
    # Moved as it is, or gone: what was made of it still counts.
    moved = own_videos.with_name("elsewhere")
    own_videos.rename(moved)
    assert planned(project, fused) == {}
    set_key(
        edited,
        project,
        "config/scale/demo.yaml",
        ["datasets", "mine", "source", "folder"],
        str(moved),
    )
    assert planned(project, fused) == {}
    # A bad video stops the call, or is skipped and reported.
    (moved / "TriangleSpin/extra_g09_.avi").write_bytes(b"broken")
    done = snakemake(project, fused)
    assert "TriangleSpin/extra_g09_.avi: no frame can be decoded" in done.stdout
    run(project, "--config", "on_bad_video=skip", "--", fused)
    assert "TriangleSpin/extra_g09_.avi" in (project / "data/videos/mine.skipped.csv").read_text()
    assert "TriangleSpin/extra_g09_.avi" not in read_scores(project / fused).videos


def test_a_run_that_needs_a_second_dataset_says_so(project, own_videos):
    done = snakemake(project, "-n", "models/multitask/flow-10-multitask/mine-split1-seed0.safetensors")
    assert "mine names none: set datasets.mine.auxiliary in config/scale/demo.yaml" in done.stdout


def test_the_default_scale_plans_its_trainings():
    jobs = planned(ROOT, "--forceall")
    assert jobs["train_stream"] + jobs["pretrain"] == 32
    assert jobs["make_table"] == 5

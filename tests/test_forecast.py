"""What a scale is forecast to take: schedules worked out by hand, the jobs that Snakemake plans, bytes."""

import json
import re
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from conftest import ROOT, call, copy_project, planned

from twostream.config.loading import load_config
from twostream.config.settings import Config
from twostream.files import UserError
from twostream.plan.disk import check_room, check_temporary_folder, kept_bytes
from twostream.plan.forecast import Forecast, disk_rows, forecast, path_rows, rule_rows, time_rows
from twostream.plan.plan import Plan
from twostream.plan.rates import GPUS, expected
from twostream.plan.schedule import Job, Jobs, critical_path, in_order, seconds_to_end, seconds_with
from twostream.provenance.steps import with_upstream
from twostream.results.formatting import as_text

H100 = expected("h100")
# What is measured, and what is reckoned with by two rates for both streams.
TOLERANCE = 0.08


def jobs(*given: tuple[str, float, int, str]) -> Jobs:
    """Jobs by name, seconds, GPUs, and the names of those that they wait for."""
    made = [Job("rule", name, seconds, gpus, tuple(after.split())) for name, seconds, gpus, after in given]
    return {job.artefact: job for job in made}


CHAIN = jobs(("a", 3, 1, ""), ("b", 4, 0, "a"), ("c", 5, 1, "b"))
# One index, four GPU jobs of it, and a table of all.
FAN = jobs(
    *[("index", 1, 0, ""), ("table", 2, 0, "m1 m2 m3 m4")],
    *[(f"m{n}", 10 * n, 1, "index") for n in (1, 2, 3, 4)],
)


def names(chain: list[Job]) -> str:
    return " ".join(job.artefact for job in chain)


@pytest.mark.parametrize("gpus", [1, 2])
def test_a_chain_takes_its_sum_on_however_many_gpus(gpus: int) -> None:
    assert seconds_with(CHAIN, gpus, cores=1) == 12
    assert names(critical_path(CHAIN)) == "a b c"
    assert seconds_to_end(CHAIN) == {"a": 12, "b": 9, "c": 5}


def test_a_fan_is_shared_out_over_gpus_the_longest_first() -> None:
    assert seconds_with(FAN, 1, cores=1) == 1 + 100 + 2
    # 40 and 10 on one, 30 and 20 on the other.
    assert seconds_with(FAN, 2, cores=1) == 1 + 50 + 2
    assert seconds_with(FAN, 4, cores=1) == seconds_with(FAN, 64, cores=1) == 1 + 40 + 2
    assert names(critical_path(FAN)) == "index m4 table"


def test_what_a_long_chain_waits_for_comes_before_what_is_long_itself() -> None:
    # Longest jobs first would take 5 + 2 + 9.
    both = jobs(("long", 5, 1, ""), ("short", 2, 1, ""), ("end", 9, 0, "short"))
    assert seconds_with(both, 1, cores=1) == 2 + 9


def test_jobs_without_a_gpu_run_beside_as_many_as_there_are_cores() -> None:
    beside = jobs(("train", 10, 1, ""), *[(f"draw{n}", 4, 0, "") for n in range(4)])
    assert seconds_with(beside, 1, cores=1) == 16
    assert seconds_with(beside, 1, cores=2) == 10
    assert seconds_with(jobs(*[(f"draw{n}", 4, 0, "") for n in range(4)]), 0, cores=4) == 4


def test_a_job_on_several_gpus_waits_until_so_many_are_free() -> None:
    shared = jobs(("one", 3, 1, ""), ("wide", 5, 2, "first"), ("first", 1, 0, ""))
    assert seconds_with(shared, 2, cores=1) == 3 + 5
    assert seconds_with(shared, 3, cores=1) == 1 + 5
    with pytest.raises(ValueError, match="more than 1 GPUs"):
        seconds_with(shared, 1, cores=1)


def test_two_inputs_of_one_job_are_waited_for_and_named_once() -> None:
    twice = jobs(("a", 1, 0, ""), ("b", 1, 0, "a a"))
    assert seconds_with(twice, 0, cores=2) == 2
    assert names(in_order(twice)) == "a b"


def found(scale: str, **choices: object) -> Forecast:
    return forecast(Plan(load_config(overrides={"scale": scale, **choices})), {}, H100)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with its own configuration; nothing is made there."""
    folder = copy_project(tmp_path_factory.mktemp("forecast") / "project")
    for file in ("config/scale/demo.yaml", "config/benchmark.yaml"):
        shutil.copy(ROOT / file, folder / file)
    return folder


@pytest.fixture(scope="module")
def paper() -> Forecast:
    return found("paper", device="cuda", workers=16)


def cells(rows: list[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {first: others for first, *others in rows}


def test_its_jobs_are_those_that_snakemake_plans(project: Path) -> None:
    rows = cells(rule_rows(found("demo")))
    counted = {rule: int(row[0]) for rule, row in rows.items() if rule not in ("", "all")}
    assert counted == planned(project, "--", "all", "figures")
    assert int(rows["all"][0]) == sum(counted.values()) == 117


def test_the_papers_jobs_are_those_that_the_readme_counts(paper: Forecast) -> None:
    counted = re.search(r"the protocols and the claims are (\d+)", (ROOT / "docs/full-scale.md").read_text())
    assert counted and len(paper.jobs) == int(counted[1]) + len(Plan(paper.config).figures())
    assert paper.not_indexed == ["hmdb51", "ucf101"]


def test_shards_are_jobs_of_their_own_and_models_wait_for_all_of_them(paper: Forecast) -> None:
    model = paper.jobs["models/temporal/flow-10/ucf101-split1-seed0.safetensors"]
    assert [f"data/flow/ucf101/forward/{shard}.zip" for shard in range(64)] == [*model.after[1:]]
    # 209 videos of 194 frames, 114.3 pairs a second; and five seconds to start.
    assert paper.jobs[model.after[1]].seconds == pytest.approx(5 + 209 * 194 / 114.3)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("scale", ["demo", "small", "paper"])
def test_no_job_is_expected_to_take_longer_than_it_asks_for(scale: str, device: str) -> None:
    for workers in (0, 16):
        told = found(scale, device=device, workers=workers)
        for step in told.steps:
            for made in step.step.outputs:
                assert told.jobs[made].seconds < 60 * step.asked.runtime, made


def measured(part: str, row: str, figure: str) -> float:
    parts = json.loads((ROOT / "docs/results/gpu/h100.json").read_text())["parts"]
    rows = next(found["rows"] for found in parts if found["name"] == part)
    return next(found["figures"][figure] for found in rows if row in found["what"])


@pytest.mark.parametrize(("stream", "run"), [("temporal", "flow-10"), ("spatial", "spatial-scratch-d05")])
def test_an_h100_is_expected_to_do_what_was_measured(paper: Forecast, stream: str, run: str) -> None:
    model = paper.jobs[f"models/{stream}/{run}/ucf101-split1-seed0.safetensors"]
    steps = measured("loader", stream, "steps/s")
    assert model.seconds == pytest.approx(80_000 / steps, rel=TOLERANCE)
    # 13,320 videos of 250 inputs; reading takes up to a seventh more.
    scores = paper.jobs[f"scores/{stream}/{run}/ucf101-split1-seed0.npz"]
    alone = 13_320 * 250 / measured("training", f"({run}), scoring", "inputs/s")
    assert alone < scores.seconds < 1.2 * alone
    assert GPUS["h100"].pair == pytest.approx(1 / measured("extraction", "one job", "pairs/s"), rel=0.01)


def test_only_the_last_layer_goes_back_where_only_that_learns(paper: Forecast) -> None:
    whole, last = (
        paper.jobs[f"models/spatial/spatial-{run}-d05/ucf101-split1-seed0.safetensors"].seconds
        for run in ("finetuned", "last")
    )
    assert last < whole / 2


def test_more_workers_and_more_gpus_shorten_a_training() -> None:
    config = {"device": "cuda", "workers": 1}
    few, many, shared = (found("paper", **config | more) for more in ({}, {"workers": 8}, {"gpus": 4}))
    name = "models/temporal/flow-10/ucf101-split1-seed0.safetensors"
    assert few.jobs[name].seconds > 2 * many.jobs[name].seconds
    assert shared.jobs[name].gpus == 4 and few.jobs[name].seconds > 3.9 * shared.jobs[name].seconds
    # Fewer GPUs than a job needs are no row.
    assert list(cells(time_rows(shared, 16))) == ["GPUs", "4", "16", "64"]


def test_the_time_is_never_less_than_the_longest_chain_nor_than_all_gpus_at_work(paper: Forecast) -> None:
    chain = sum(job.seconds for job in critical_path(paper.jobs))
    work = sum(job.gpus * job.seconds for job in paper.jobs.values())
    for gpus in (1, 4, 16, 64):
        assert max(chain, work / gpus) <= seconds_with(paper.jobs, gpus, 16 * gpus) <= chain + work / gpus


def sized(config: Config) -> dict[str, float]:
    plan = Plan(config)
    return kept_bytes(with_upstream([*plan.results(), *plan.figures()]), config, {})


def sized_scale(scale: str) -> dict[str, float]:
    return sized(load_config(overrides={"scale": scale}))


def test_disk_at_the_papers_scale_is_what_the_readme_says() -> None:
    kept = sized_scale("paper")
    for what, gigabytes in {"videos": 18, "frames": 95, "flow": 67}.items():
        assert kept[what] == pytest.approx(gigabytes * 1e9, rel=0.03)
    # 32 models of 90.5 million weights, and as many for the momentum of each that is trained.
    assert kept["models"] == pytest.approx(32 * 0.362e9, rel=0.01)
    assert kept["checkpoints"] == pytest.approx(31 * 0.724e9, rel=0.01)
    # Of UCF-101 21 score files of runs and 10 fused, of HMDB-51 9 and 6.
    assert kept["scores"] == (31 * 13_320 * (268 + 8 * 101)) + 15 * 6_766 * (268 + 8 * 51)


def test_disk_at_the_default_scale_is_what_was_measured() -> None:
    # MB, of a run of it.
    for what, megabytes in {"videos": 108, "frames": 89, "flow": 70, "scores": 7.8, "models": 14}.items():
        assert sized_scale("demo")[what] == pytest.approx(megabytes * 1e6, rel=0.1), what


def test_frames_of_half_the_side_take_a_third_of_the_bytes() -> None:
    config = load_config(overrides={"scale": "paper"})
    frames = config.scale.frames.model_copy(update={"short_side": 128})
    training = config.scale.training.model_copy(update={"crop": 112})
    scale = config.scale.model_copy(update={"frames": frames, "training": training})
    half = sized(config.model_copy(update={"scale": scale}))["frames"]
    assert half / sized(config)["frames"] == pytest.approx(9.7 / 29, rel=0.01)


def test_one_archive_counts_once_for_two_datasets_of_it() -> None:
    assert 7.0e9 < sized_scale("small")["videos"] < 7.5e9


def printed(project: Path, *arguments: str) -> str:
    done = call(project, "python", "scripts/forecast.py", *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_all_is_printed_and_fits_120_columns(project: Path, device: str) -> None:
    said = printed(project, "--scale", "paper", "--device", device)
    assert all(len(line) <= 120 for line in said.splitlines())
    assert "h100" in said if device == "cuda" else "h100" not in said
    workers = {"cpu": 0, "cuda": 16}[device]
    told = found("paper", device=device, workers=workers)
    for rows in (rule_rows(told), path_rows(told), disk_rows(told), time_rows(told, 16)):
        assert as_text(rows) in said
    assert f"workers={workers}" in said and "Measured: " in said and "Estimated: " in said


def test_cores_are_those_of_each_gpu_and_feed_it(project: Path) -> None:
    said = printed(project, "--scale", "paper", "--device", "cuda", "--cores", "4")
    assert "workers=4" in said and re.search(r"^16 +64 ", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--scale", "gone"),
            "error: config/config.yaml: scale: there is no config/scale/gone.yaml; scales:",
        ),
        (("--cores", "0"), "error: --cores: there must be 1 or more to each GPU (given: 0)"),
    ],
)
def test_what_cannot_be_forecast_is_said_in_a_sentence(
    project: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = call(project, "python", "scripts/forecast.py", *arguments)
    assert done.returncode == 1
    assert done.stdout.startswith(message) and done.stdout.count("\n") == 1


def test_a_disk_that_is_too_small_is_told_before_anything_runs(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = Plan(load_config(ROOT / "config", overrides={"scale": "paper"}))
    steps = [plan.extraction.extract_flow("ucf101", "forward")]
    whole = kept_bytes(steps, plan.config, {})["flow"]
    free = namedtuple("free", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free(whole * 0.75))
    with pytest.raises(UserError, match=r"has \d+ GB free, and this call may need \d+ GB there"):
        check_room(steps, plan.config, {})
    # Half of it is there.
    for shard in steps[0].outputs[::2]:
        Path(shard).parent.mkdir(parents=True, exist_ok=True)
        Path(shard).touch()
    check_room(steps, plan.config, {})


def test_a_folder_for_temporary_files_that_is_full_is_told_before_anything_runs(
    tmp_path, monkeypatch
) -> None:
    def full(dir: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    check_temporary_folder()
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(UserError, match=r"temporary files cannot be written \(No space left on device\)"):
        check_temporary_folder()

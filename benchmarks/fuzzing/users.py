"""What users call with a video, called in this process: indexing, the extraction of flow, classifying.

Every call goes through the script's own `main`. What does not hang on the video is loaded once: the
configuration and the models, which have random weights.
"""

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split

import io
import json
import shutil
import sys
import traceback
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp

import classify_video
import extract_flow
import index_folder
import torch
import yaml

from fuzzing.counting import count_frames
from fuzzing.seen import Call, Seen
from fuzzing.sources import write_source
from small_project import ROOT, small_benchmark, tiny_scale
from twostream import cli, paths
from twostream.classify import classify
from twostream.config.loading import load_config
from twostream.config.settings import Config
from twostream.extraction.store import Store
from twostream.networks.model_file import Description, save_model

RUNS = {"spatial": "spatial-last-d05", "temporal": "flow-1"}
INDEX_RECIPE = json.dumps({"media": "videos", "splits": 1, "listing": ""})


class Users:
    """Users in a project of their own, which is a new folder below `scratch`."""

    def __init__(self, scratch: Path) -> None:
        torch.set_num_threads(1)
        self.folder = Path(mkdtemp(dir=scratch))
        _write_config(self.folder)
        with chdir(self.folder):
            _write_models(load_config())
        # So that a folder with one video more is a dataset.
        for number, place in enumerate(("train/A", "train/B", "val/A", "val/B")):
            write_source(self.folder / f"videos/{place}/whole{number}.avi", 1000 + number)
        _load_once()
        self.see(write_source(self.folder / "first.avi", 999))

    def see(self, video: Path) -> Seen:
        """Return what users and FFmpeg see of a video."""
        with chdir(self.folder):
            seen = Seen({"index": self._index(video)})
            seen.calls["extract"] = self._extract(video)
            seen.calls["classify"] = self._classify(video)
        seen.ffmpeg = count_frames(video)
        return seen

    def _index(self, video: Path) -> Call:
        place = self.folder / "videos/train/A" / video.name
        shutil.copy(video, place)
        files = [option for name in ("out", "skipped") for option in (f"--{name}", f"{name}.csv")]
        try:
            return _called(index_folder.main, "--recipe", INDEX_RECIPE, "--folder", "videos", *files)
        finally:
            place.unlink()

    def _extract(self, video: Path) -> Call:
        place, out = self.folder / "alone", self.folder / "flow"
        for folder in (place, out):
            shutil.rmtree(folder, ignore_errors=True)
        place.mkdir()
        shutil.copy(video, place)
        options = ("--method", "dis", "--shorter-side", "16")
        call = _called(extract_flow.main, "--videos", "alone", "--out", "flow", *options)
        if (shard := out / "forward.zip").exists():
            call.frames = Store([shard]).length(video.name) + 1
            record = json.loads(Path(paths.record(shard)).read_text())
            call.recorded = str(record.get("damaged", {}).get(video.name, ""))
        return call

    def _classify(self, video: Path) -> Call:
        had: list[int] = []

        def looked_at(call: Callable, *given: object) -> object:
            verdicts = call(*given)
            for name, more in (("frames", 0), ("flow", 1)):
                had.append(Store([Path(str(given[-1])) / f"{name}.zip"]).length(video.name) + more)
            return verdicts

        whole = classify_video.classify
        classify_video.classify = partial(looked_at, whole)
        try:
            call = _called(classify_video.main, str(video), "--dataset", "demo_a")
        finally:
            classify_video.classify = whole
        if had:
            # Two ways in one call, that have to agree like any others.
            call.frames = had[0] if had[0] == had[1] else -1
        return call


def _called(main: Callable[[], None], *arguments: str) -> Call:
    """Call a script as its command line would, and tell how it ended."""
    call, out = Call(), io.StringIO()
    sys.argv = [str(main.__module__), *arguments]
    with redirect_stdout(out), redirect_stderr(out):
        try:
            cli.run(main)
        except SystemExit as stopped:
            call.refused = str(stopped.code)
        except BaseException:  # noqa: BLE001 Whatever it is, users would see a traceback.
            call.crashed = traceback.format_exc()
    call.printed = out.getvalue()[-5000:]
    return call


def _load_once() -> None:
    """Have what is the same for every video loaded by the first call alone."""
    for module, name in ((classify_video, "load_config"), (classify, "load_model")):
        setattr(module, name, cache(getattr(module, name)))
    found: dict[str, object] = {}
    find, stale = classify_video.find_models, classify_video.stale
    classify_video.find_models = lambda *given: found.setdefault("models", find(*given))
    classify_video.stale = lambda *given: found.setdefault("stale", stale(*given))


def _write_config(folder: Path) -> None:
    scale, benchmark = tiny_scale(), small_benchmark()
    scale["flow"] |= {"method": "dis", "short_side": 60}
    benchmark["fusions"]["fuzzed"] = {**RUNS, "method": "average"}
    (folder / "config/scale").mkdir(parents=True)
    (folder / "config/config.yaml").write_text((ROOT / "config/config.yaml").read_text())
    (folder / "config/scale/demo.yaml").write_text(yaml.safe_dump(scale))
    (folder / "config/benchmark.yaml").write_text(yaml.safe_dump(benchmark | {"two_stream": "fuzzed"}))


def _write_models(config: Config) -> None:
    for run in RUNS.values():
        settings = config.benchmark.runs[run]
        described = Description(
            run=settings,
            network=config.scale.networks[settings.stream],
            crop=56,
            short_side=60,
            heads={"demo_a": ["a", "b"]},
        )
        file = paths.MODEL.format(folder=settings.folder, run=run, dataset="demo_a", split=1, seed=0)
        torch.manual_seed(0)
        save_model(described.build(), described, file)

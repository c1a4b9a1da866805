"""What several tests use: small videos, and a small copy of the project to run."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

# pytest has these on its path (pyproject.toml); whoever imports this file alone has not.
sys.path.insert(0, str(Path(__file__).parent.with_name("benchmarks")))
sys.path.insert(0, str(Path(__file__).parent.with_name("scripts")))

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split

import cv2
import numpy as np
import pandas as pd
import pytest
import warm
import yaml
from local_server import Server

from small_project import small_benchmark, tiny_scale
from twostream import downloads, paths
from twostream.config.flow import BroxSettings
from twostream.extraction.dataset_files import DatasetFiles
from twostream.extraction.store import ShardWriter
from twostream.flow import brox_numba
from twostream.plan.dvc_stages import FOLDERS
from twostream.provenance.specs import Spec, code_digest
from twostream.videos.index import write_index

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": "/tmp"}

# What is called in this is a process of its own; in ENVIRONMENT, a copy of one that has loaded the libraries.
COLD = dict(ENVIRONMENT)

# The files that take longest begin first, so that no process works alone at the end. What DVC makes takes 50
# seconds: of the first ones, one file alone waits for it, and of what Snakemake makes one alone.
LONGEST = """
    dvc workflow devices other_flow experiments accept_results remotes checkpoints fitting probes results
    doctor train_stream backbones fuzz_videos needs index_segments fetching gpu_check
""".split()  # noqa: SIM905


def pytest_configure(config: pytest.Config) -> None:
    """Have what tests call start fast (`warm.py`): by the same processes for all of pytest-xdist's."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.add_cleanup(warm.start(COLD).end)
    ENVIRONMENT.update(warm.use(COLD))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"test_{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


def textured(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth random picture, uint8 [height, width, 3], in which flow can be found."""
    noise = np.random.default_rng(seed).normal(0, 60, (height, width, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2) * 5 + 128
    return np.clip(smooth, 0, 255).astype(np.uint8)


def write_video(path: Path, frames: list[np.ndarray]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = frames[0].shape[1::-1]
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), 25, size)
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def zero_frame(path: Path, number: int) -> None:
    """Make the bytes of a frame of an AVI file zero, which no decoder takes."""
    content = bytearray(path.read_bytes())
    starts = [n for n in range(content.index(b"movi"), len(content)) if content.startswith(b"00dc", n)]
    first, size = (
        starts[number] + 8,
        int.from_bytes(content[starts[number] + 4 : starts[number] + 8], "little"),
    )
    content[first : first + size] = bytes(size)
    path.write_bytes(content)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of five frames, 48 x 64, that moves two pixels to the right in each."""
    wide = textured(48, 80)
    return write_video(tmp_path / "clip.avi", [wide[:, 10 - 2 * t : 74 - 2 * t] for t in range(5)])


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setattr(downloads, "FIRST_WAIT", 0.001)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def coloured(tmp_path, monkeypatch):
    """Two datasets of videos whose class is their brightness, where the rules would put them."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for dataset, classes in (("one", "ab"), ("two", "bcd")):
        rows = []
        (tmp_path / f"data/frames/{dataset}").mkdir(parents=True)
        with ShardWriter(tmp_path / f"data/frames/{dataset}/0.zip", 95) as writer:
            for label, name in enumerate(classes):
                for clip in range(4):
                    file = f"{name}/{clip}.avi"
                    level = 40 + 50 * "abcd".index(name)
                    frames = rng.normal(level, 8, (4, 64, 64, 3)).clip(0, 255).astype(np.uint8)
                    writer.add_frames(file, frames)
                    rows.append((file, name, label, str(clip), "train" if clip < 2 else "test"))
        (tmp_path / "data/videos").mkdir(parents=True, exist_ok=True)
        index = pd.DataFrame(rows, columns=["file", "class", "label", "group", "split1"])
        write_index(index, tmp_path / f"data/videos/{dataset}.csv")
    return tmp_path


def spec_file(folder: Path, name: str, script: str) -> str:
    """A file for a script's option --spec, of a step that is made from nothing."""
    spec = Spec(digest=name, script=script, code=code_digest(script), made_from={})
    file = folder / f"{name}.spec.json"
    file.write_text(spec.model_dump_json())
    return str(file)


def datasets_here(*names: str) -> dict[str, DatasetFiles]:
    """The files of datasets with one shard each, where the rules put them."""
    return {
        name: DatasetFiles(
            paths.INDEX.format(dataset=name),
            {
                "frames": paths.frame_shards(name, 1),
                "flow": paths.flow_shards(name, "forward", 1),
                "backward_flow": paths.flow_shards(name, "backward", 1),
            },
        )
        for name in names
    }


def frames_options(*names: str) -> list[str]:
    """The options that name indexes and frames of datasets with one shard each."""
    found = datasets_here(*names).values()
    frames = [shard for files in found for shard in files.needed("frames")]
    return ["--index", *(files.index for files in found), "--frames", *frames]


@cache
def compile_flow() -> None:
    """Have numba compile the flow here, if it has not: copies of the project take over what it keeps."""
    frame = brox_numba.pyramid(textured(48, 64)[..., 0].copy(), BroxSettings())
    brox_numba.flow_between(frame, frame, BroxSettings())


def copy_project(folder: Path) -> Path:
    """Copy code, with what Python and numba have compiled of it, and configuration, to `folder`.

    The tiny scale is its `demo`.
    """
    compile_flow()
    for name in ("scripts", "workflow", "config", "requirements"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("README.md", "environment.yml", "dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    for name in (".dvc/config", ".dvc/.gitignore", "data/official/README.md", "methods/README.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / ".dvc/plots", folder / ".dvc/plots")
    (folder / "config/scale/demo.yaml").write_text(yaml.safe_dump(tiny_scale(), sort_keys=False))
    (folder / "config/benchmark.yaml").write_text(yaml.safe_dump(small_benchmark(), sort_keys=False))
    return folder


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return call(folder, "snakemake", "--cores", "2", *arguments)


def run(folder: Path, *arguments: str) -> str:
    done = snakemake(folder, *arguments)
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def artefacts(folder: Path) -> dict[Path, Path]:
    """All files below the folders of outputs but records, by their path in `folder`."""
    found = [
        file
        for top in ("data", "models", "scores", "results", "figures")
        for file in (folder / top).rglob("*.*")
    ]
    return {f.relative_to(folder): f for f in found if f.is_file() and not f.name.endswith(".record.json")}


def planned(folder: Path, *arguments: str) -> Counter[str]:
    """The rules that a dry run would execute, with the number of jobs of each."""
    return jobs_in(run(folder, "-n", *arguments))


def jobs_in(said: str) -> Counter[str]:
    """The rules that a dry run would execute or a run has executed, by what it said."""
    rules = re.findall(r"^(?:rule (?=\w+:)|\s*\d+ of \d+  )(\w+)", said, flags=re.M)
    return Counter(rule for rule in rules if rule not in ("all", *FOLDERS))


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """A folder that is built once, by whichever of pytest-xdist's processes is the first to want it."""
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = root / name, root / f"{name} is built"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            build(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """A tiny copy of the project, run to its tables and figures; not to be changed."""
    return built_once(
        tmp_path_factory, "built", lambda folder: run(copy_project(folder), "--", "all", "figures")
    )


def call(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=ENVIRONMENT | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def said(folder: Path, *command: str, **environment: str) -> str:
    done = call(folder, *command, **environment)
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def commit(folder: Path, message: str) -> None:
    said(folder, "git", "add", "--all")
    said(folder, "git", "-c", "user.name=Test", "-c", "user.email=t@example.org", "commit", "-qm", message)


@pytest.fixture(scope="session")
def origin(tmp_path_factory) -> Path:
    """A repository whose results DVC made from nothing, recorded and pushed; not to be changed."""
    return built_once(tmp_path_factory, "origin", make_origin)


def make_origin(folder: Path) -> None:
    copy_project(folder)
    said(folder, "git", "init", "-q", "-b", "main")
    said(folder, "dvc", "remote", "add", "-q", "--default", "store", str(folder.with_name("store")))
    commit(folder, "code")
    assert jobs_in(said(folder, "dvc", "repro")) == planned(folder, "--forceall", "--", "all", "figures")
    commit(folder, "results")
    said(folder, "dvc", "push")


@pytest.fixture(scope="session")
def pulled(origin, tmp_path_factory) -> Path:
    """A colleague's clone with everything pulled; not to be changed."""

    def pull(folder: Path) -> None:
        said(cloned(origin, folder), "dvc", "pull")

    return built_once(tmp_path_factory, "pulled", pull)


@pytest.fixture
def clone(pulled, tmp_path) -> Path:
    """A clone with everything pulled, for a test alone."""
    return shutil.copytree(pulled, tmp_path / "clone", symlinks=True)


@pytest.fixture
def clone_unpulled(origin, tmp_path) -> Path:
    """A colleague's clone with nothing pulled."""
    return cloned(origin, tmp_path / "clone")


def cloned(origin: Path, folder: Path) -> Path:
    said(folder.parent, "git", "clone", "-q", str(origin), str(folder))
    for key, value in (("user.name", "Test"), ("user.email", "t@example.org")):
        said(folder, "git", "config", key, value)
    return folder

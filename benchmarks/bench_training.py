"""The paper's networks at full size: memory on real clips, and the speed of training.

Uses the networks and the crops of config/scale/paper.yaml. First the scripts train a spatial and a
temporal network for a few iterations and score two videos with 25 x 10 inputs each, and the memory of the
largest process is told. Then the temporal network is trained with input that lies on the device, and
with input that is read and decoded anew each time, and beside both by the usual step; each rate gives the
hours for 80,000 iterations.
On a GPU: `make bench DEVICE=cuda BATCH=256 WORKERS=16 ITERATIONS=50 VIDEOS=...`.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split
import torch
from bench_flow import generated_videos
from torch import Tensor, nn
from torch.optim import SGD

from twostream import paths
from twostream.config.benchmark import Benchmark
from twostream.config.loading import parse, read_yaml
from twostream.config.recipes import (
    FlowRecipe,
    FramesRecipe,
    ScoringRecipe,
    Task,
    TrainingRecipe,
    TrainingSubset,
)
from twostream.config.scale import Scale, Schedule
from twostream.config.streams import KINDS
from twostream.devices import open_runtime, to_device
from twostream.extraction import store
from twostream.extraction.dataset_files import DatasetFiles
from twostream.extraction.flow import store_flow
from twostream.extraction.frames import store_frames
from twostream.networks.model_file import Description
from twostream.networks.network import StreamNetwork
from twostream.training.batch import Drawn
from twostream.training.descent import Progress, descend, optimizer_of
from twostream.training.preprocessing import prepare
from twostream.training.sampling import Dropout
from twostream.training.tasks import batches, videos_of
from twostream.videos.class_folders import from_class_folders
from twostream.videos.index import complete, write_index

ROOT = Path(__file__).resolve().parent.parent
PAPERS_ITERATIONS = 80_000
WARM_UP = 2


CLIPS = DatasetFiles(
    paths.INDEX.format(dataset="clips"),
    {"frames": paths.frame_shards("clips", 1), "flow": paths.flow_shards("clips", "forward", 1)},
)


def extract(scale: Scale, videos: Path, device: str) -> None:
    """Index a dozen videos, two of them to score, and extract frames and flow, in the current folder."""
    table = from_class_folders(videos, "videos", 1)
    table = table.groupby("class").head(6).head(12)
    table["split1"] = ["test" if i == 0 else "train" for i in table.groupby("class").cumcount()]
    table["split2"] = ["test", "train", *["none"] * (len(table) - 2)]  # those to score
    table["group"] = table["file"]
    index, _ = complete(table, videos, "videos", "stop")
    name = CLIPS.index
    write_index(index, name)
    frames = FramesRecipe(media="videos", shards=1, frames=scale.frames)
    store_frames(frames, videos, name, 0, *CLIPS.needed("frames"))
    flow = FlowRecipe(shards=1, flow=scale.flow, direction="forward")
    store_flow(flow, videos, name, 0, *CLIPS.needed("flow"), device)


def training_recipe(scale: Scale, benchmark: Benchmark, run: str, args: argparse.Namespace) -> TrainingRecipe:
    """The paper's recipe of a run, on the clips, for a few iterations."""
    return TrainingRecipe(
        run=benchmark.runs[run],
        tasks=[Task(head="clips", sources=[TrainingSubset(dataset="clips", shards=1, split=1)])],
        network=scale.networks[benchmark.runs[run].network_name],
        training=scale.training.model_copy(update={"batch": args.batch}),
        schedule=Schedule(rate=0.01, drops=[], iterations=args.iterations),
        short_side=scale.short_side(KINDS[benchmark.runs[run].input.kind].reads),
        seed=0,
    )


def call(script: str, recipe: str, args: argparse.Namespace, *arguments: str) -> None:
    """Run one of the project's scripts."""
    command = [sys.executable, str(ROOT / f"scripts/{script}.py"), "--recipe", recipe]
    command += ["--device", args.device, "--workers", str(args.workers), *arguments]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def full_size(scale: Scale, benchmark: Benchmark, args: argparse.Namespace) -> None:
    """Train and score through the scripts; print times and the memory of the largest process."""
    scoring = ScoringRecipe(dataset="clips", shards=1, split=2, testing=scale.testing)
    for run in ("spatial-scratch-d05", "flow-10"):
        recipe = training_recipe(scale, benchmark, run, args)
        data = ["--index", CLIPS.index]
        for name in recipe.run.input.extracted:
            data += [f"--{name}", *CLIPS.needed(name)]
        outputs = ["--curve", f"{run}.csv", "--out", f"{run}.safetensors"]
        call("train_stream", recipe.model_dump_json(), args, *data, *outputs)
        record = json.loads(Path(f"{run}.record.json").read_text())
        training = json.loads(Path(paths.run_file(f"{run}.safetensors")).read_text())
        seconds = training["training_seconds"]
        print(
            f"  {run}: {record['parameters']:,} parameters, {args.iterations} iterations in {seconds:.1f} s,"
            f" {100 * training['waiting_seconds'] / seconds:.0f}% of it waiting for input"
        )
        started = time.perf_counter()
        call(
            "score_videos",
            scoring.model_dump_json(),
            args,
            *data,
            "--model",
            f"{run}.safetensors",
            "--out",
            f"{run}.npz",
        )
        seconds = time.perf_counter() - started
        inputs = f"{scale.testing.frames} x {scale.testing.views}"
        print(f"    two videos scored with {inputs} inputs each: {seconds:.0f} s")
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"  memory of the largest process: {largest:.1f} GB")


def usual_step(network: StreamNetwork, optimizer: SGD, floats: Tensor, keep: Tensor, labels: Tensor) -> None:
    """A step as other codes write it: floats from the host, single precision, the loss fetched each time."""
    device = keep.device
    loss = nn.functional.cross_entropy(network({"clips": floats.to(device)}, keep)["clips"], labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    loss.item()


def speed(scale: Scale, benchmark: Benchmark, args: argparse.Namespace) -> None:
    """Print steps a second of the temporal network, input in memory or read, and by the usual step."""
    recipe = training_recipe(scale, benchmark, "flow-10", args)
    store.KEPT_BYTES = 0  # at full scale hardly an image is met twice
    with open_runtime(args.device, args.workers) as runtime:
        classes, videos = videos_of(recipe.tasks[0], recipe, {"clips": CLIPS})
        description = Description(
            run=recipe.run,
            network=recipe.network,
            crop=recipe.training.crop,
            short_side=recipe.short_side,
            heads={"clips": classes},
        )
        network = description.build()
        to_device(network, runtime.device)
        optimizer = optimizer_of(network.train(), recipe)
        dropout = Dropout(network.units, recipe.run.dropout)
        progress = Progress(seen=torch.zeros(3, dtype=torch.float64, device=runtime.device))
        endless = recipe.model_copy(update={"schedule": Schedule(rate=0.001, drops=[], iterations=10**6)})
        drawn = batches({"clips": videos}, endless, dropout, runtime, 0)
        inputs, keep, labels = next(drawn)["clips"]
        moved = (inputs.to(runtime.device), keep.to(runtime.device), labels.to(runtime.device))
        floats = prepare(moved[0], recipe.run.input, recipe.training.crop).cpu()

        def ours(batch: dict[str, Drawn]) -> None:
            descend(network, optimizer, batch, recipe, progress, runtime.device)

        for name, step in (
            (
                "the usual step, its input in memory",
                lambda: usual_step(network, optimizer, floats, *moved[1:]),
            ),
            ("our step, its input in memory", lambda: ours({"clips": moved})),
            ("our step, its input read from the store", lambda: ours(next(drawn))),
        ):
            for number in range(WARM_UP + args.iterations):
                if number == WARM_UP:
                    progress.seen.tolist()  # waits for the device
                    started = time.perf_counter()
                step()
            progress.seen.tolist()
            rate = args.iterations / (time.perf_counter() - started)
            hours = PAPERS_ITERATIONS / rate / 3600
            print(
                f"  flow-10, batch {args.batch}, {name}: {rate:.3g} iterations a second,"
                f" {hours:.0f} hours for {PAPERS_ITERATIONS:,}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=Path, help="class folders of videos (default: drawn ones)")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0)
    args = parser.parse_args()
    scale = parse(Scale, read_yaml(ROOT / "config/scale/paper.yaml"), "paper.yaml")
    benchmark = parse(Benchmark, read_yaml(ROOT / "config/benchmark.yaml"), "benchmark.yaml")
    with tempfile.TemporaryDirectory() as made:
        videos = args.videos.resolve() if args.videos else Path(made) / "videos"
        if not args.videos:
            (videos / "drawn").mkdir(parents=True)
            generated_videos(videos / "drawn")
        os.chdir(made)
        print(f"The paper's networks on {args.device}, batch {args.batch}")
        extract(scale, videos, args.device)
        full_size(scale, benchmark, args)
        speed(scale, benchmark, args)


if __name__ == "__main__":
    main()

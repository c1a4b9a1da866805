"""Try a scale's networks and schedules on groups held out of a training part; no test video is looked at.

    snakemake --cores all --config scale=small -- extraction
    python benchmarks/tune_scale.py --scale small --run flow-10 --set schedules.scratch.rate=0.01

Of each class, some groups of the primary dataset's training part (split 1) are held out, a network is trained
on the others, and its accuracy on both is printed. What is chosen so is then written into the scale. Frames,
flow and pre-trained weights must be there.
"""

import argparse
import tempfile
import time
from pathlib import Path

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split

import pandas as pd
import yaml

from twostream import cli
from twostream.config.benchmark import Run
from twostream.config.loading import load_config, parse
from twostream.config.recipes import ScoringRecipe, TrainingRecipe
from twostream.config.scale import Scale
from twostream.config.settings import Config
from twostream.devices import open_runtime
from twostream.extraction.dataset_files import DatasetFiles
from twostream.networks.model_file import save_model
from twostream.plan.plan import Plan
from twostream.provenance.steps import Step
from twostream.training.scoring import score_videos
from twostream.training.trainer import train
from twostream.videos.index import read_index, write_index

SPLIT = 1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", required=True)
    parser.add_argument("--run", required=True, help="a run of benchmark.yaml that uses no second dataset")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="a key of the scale (YAML)")
    parser.add_argument("--held-out", type=int, default=5, help="groups of each class")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0)
    args = parser.parse_args()
    plan = Plan(changed(load_config(overrides={"scale": args.scale}), args.set))
    for seed in range(args.seeds):
        step = plan.networks.train_stream(args.run, plan.scale.roles.primary, SPLIT, seed)
        print(f"{args.run} {' '.join(args.set)} seed {seed}: {tried(plan, step, args)}", flush=True)


def changed(config: Config, settings: list[str]) -> Config:
    """Return a configuration with some keys of its scale set."""
    content = config.scale.model_dump(mode="json")
    for setting in settings:
        keys, _, value = setting.partition("=")
        *parents, last = keys.split(".")
        place = content
        for key in parents:
            place = place[key]
        place[last] = yaml.safe_load(value)
    return config.model_copy(update={"scale": parse(Scale, content, "--set")})


def tried(plan: Plan, step: Step, args: argparse.Namespace) -> str:
    """Train a step's network without the groups held out, and say how well it does on them."""
    recipe = step.recipe
    assert isinstance(recipe, TrainingRecipe)
    dataset = plan.scale.roles.primary
    with tempfile.TemporaryDirectory() as folder, open_runtime("cpu", args.workers) as runtime:
        index, model = str(Path(folder, "index.csv")), str(Path(folder, "model.safetensors"))
        write_index(held_out(read_index(step.files("index")[0]), args.held_out), index)
        run: Run = recipe.run
        files = DatasetFiles(index, {name: step.files(name) for name in run.input.extracted})
        began = time.process_time()
        trained = train(recipe, {dataset: files}, next(iter(step.files("initial")), None), runtime)
        seconds = time.process_time() - began
        save_model(trained.network, trained.description, model)
        shards = plan.videos.shards(dataset)
        scoring = ScoringRecipe(dataset=dataset, shards=shards, split=SPLIT, testing=plan.scale.testing)
        scores = score_videos(scoring, files, model, "cpu", args.workers)
    accuracy, loss = scores.accuracies(), trained.curve["loss"].iloc[-1]
    return (
        f"{accuracy['test']:.1f}% of those held out, {accuracy['train']:.1f}% of the others, last loss"
        f" {loss:.2f}, {seconds:.0f} CPU s to train, {time.process_time() - began - seconds:.0f} to score"
    )


def held_out(index: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the training part of an index, of each class the first `count` groups to test on."""
    column = f"split{SPLIT}"
    known = index[index[column] == "train"].copy()
    first = {name: sorted(of_class.unique())[:count] for name, of_class in known.groupby("class")["group"]}
    tested = [group in first[name] for name, group in zip(known["class"], known["group"], strict=True)]
    known[column] = ["test" if is_tested else "train" for is_tested in tested]
    return known


if __name__ == "__main__":
    cli.run(main)

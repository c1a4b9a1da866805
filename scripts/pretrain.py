"""Train a spatial network on still images, for others to start from."""

from contextlib import ExitStack

from twostream import cli, paths
from twostream.config.recipes import TrainingRecipe
from twostream.devices import open_runtime
from twostream.extraction import dataset_files
from twostream.extraction.staging import staged
from twostream.training.checkpoints import Checkpoint
from twostream.training.trainer import train_and_save


def main() -> None:
    parser = cli.arguments(__doc__)
    dataset_files.add_options(parser, ["frames"])
    parser.add_argument("--curve", required=True, help="CSV of the training curve to write")
    cli.add_device(parser)
    cli.add_workers(parser)
    cli.add_stage(parser)
    args = parser.parse_args()
    recipe = cli.recipe(TrainingRecipe, args)
    files = dataset_files.given_files(args, recipe.shards)
    checkpoint = Checkpoint(paths.checkpoint(args.out), args.spec and args.spec.digest)
    with ExitStack() as stack:
        record = stack.enter_context(cli.record(args, recipe))
        runtime = stack.enter_context(open_runtime(args.device, args.workers))
        if args.stage:
            files = stack.enter_context(staged(files, runtime))
        trained = train_and_save(recipe, files, None, runtime, checkpoint, args.out, args.curve)
        record.facts |= trained.facts
        record.run |= trained.run
    if runtime.processes.first:
        checkpoint.delete()


if __name__ == "__main__":
    cli.run(main)

"""Train one network of a run: spatial, temporal or multi-task.

On one device `python scripts/train_stream.py ...`; on four GPUs of one machine
`torchrun --standalone --nproc-per-node 4 scripts/train_stream.py --device cuda ...`.
A call that was killed goes on from its last checkpoint when it is called again with the same --spec.
"""

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
    parser.add_argument("--initial", help="model whose hidden layers to start from")
    dataset_files.add_options(parser)
    parser.add_argument(
        "--held-out",
        metavar="CSV",
        help="index of the dataset whose test recordings are left out, if it is not trained on",
    )
    parser.add_argument("--curve", required=True, help="CSV of the training curve to write")
    cli.add_device(parser)
    cli.add_workers(parser)
    cli.add_stage(parser)
    args = parser.parse_args()
    recipe = cli.recipe(TrainingRecipe, args)
    files = dataset_files.given_files(args, recipe.shards)
    if recipe.held_out:
        dataset_files.add_index(files, recipe.held_out.dataset, args.held_out, "--held-out")
    checkpoint = Checkpoint(paths.checkpoint(args.out), args.spec and args.spec.digest)
    with ExitStack() as stack:
        record = stack.enter_context(cli.record(args, recipe))
        runtime = stack.enter_context(open_runtime(args.device, args.workers))
        if args.stage:
            files = stack.enter_context(staged(files, runtime))
        trained = train_and_save(recipe, files, args.initial, runtime, checkpoint, args.out, args.curve)
        record.facts |= trained.facts
        record.run |= trained.run
    if runtime.processes.first:
        checkpoint.delete()


if __name__ == "__main__":
    cli.run(main)

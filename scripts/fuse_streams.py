"""Fuse the scores of several streams: average, weighted mean, or a linear SVM."""

from twostream import cli
from twostream.config.recipes import FusionRecipe
from twostream.config.streams import STREAMS
from twostream.files import UserError
from twostream.scores.fusion import average
from twostream.scores.score_file import read_scores, write_scores
from twostream.scores.weighting import weighted


def main() -> None:
    parser = cli.arguments(__doc__)
    for stream in STREAMS:
        parser.add_argument(f"--{stream}", help=f"score file of the {stream} network")
    args = parser.parse_args()
    recipe = cli.recipe(FusionRecipe, args)
    files = {stream: getattr(args, stream) for stream in STREAMS if getattr(args, stream)}
    with cli.record(args, recipe) as record:
        streams = [read_scores(file) for file in files.values()]
        try:
            if recipe.svm:
                # Only here, as scikit-learn takes seconds to import.
                from twostream.scores.svm import svm

                fused, record.facts["cost"] = svm(*streams, settings=recipe.svm, seed=recipe.seed)
            elif recipe.method == "weighted":
                fused, weights = weighted(*streams)
                record.facts["weights"] = dict(zip(files, weights, strict=True))
            else:
                fused = average(*streams)
        except UserError as error:
            given = ", ".join(f"--{stream} {file}" for stream, file in files.items())
            raise UserError(f"{given or 'no score files'}: {error}") from None
        record.facts["accuracy"] = fused.accuracies()
        write_scores(fused, args.out)


if __name__ == "__main__":
    cli.run(main)

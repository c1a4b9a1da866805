"""Fuse the scores of a spatial and a temporal network: average, weighted mean, or a linear SVM."""

from twostream import cli
from twostream.config.recipes import FusionRecipe
from twostream.scores.fusion import average
from twostream.scores.score_file import read_scores, write_scores
from twostream.scores.weighting import weighted


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--spatial", required=True, help="score file of the spatial network")
    parser.add_argument("--temporal", required=True, help="score file of the temporal network")
    args = parser.parse_args()
    recipe = cli.recipe(FusionRecipe, args)
    with cli.record(args, recipe) as record:
        spatial, temporal = read_scores(args.spatial), read_scores(args.temporal)
        if recipe.svm:
            # Only here, as scikit-learn takes seconds to import.
            from twostream.scores.svm import svm

            fused, record.facts["cost"] = svm(spatial, temporal, recipe.svm, recipe.seed)
        elif recipe.method == "weighted":
            fused, record.facts["weight"] = weighted(spatial, temporal)
        else:
            fused = average(spatial, temporal)
        record.facts["accuracy"] = fused.accuracies()
        write_scores(fused, args.out)


if __name__ == "__main__":
    cli.run(main)

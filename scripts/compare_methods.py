"""Put methods that were not trained here beside ours: alone, fused with each stream, and tested."""

from functools import cache

from twostream import cli
from twostream.files import written_whole
from twostream.method_table import compare_methods
from twostream.recipes import MethodsRecipe
from twostream.scores import read_scores


def main() -> None:
    args = cli.arguments(__doc__).parse_args()
    recipe = cli.recipe(MethodsRecipe, args)
    with cli.record(args, recipe):
        table = compare_methods(recipe, cache(read_scores))
        with written_whole(args.out) as part:
            table.to_csv(part, index=False)


if __name__ == "__main__":
    cli.run(main)

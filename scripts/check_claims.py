"""Judge the paper's claims on our score files."""

from functools import cache

from twostream import cli
from twostream.claims import check_claims
from twostream.files import written_whole
from twostream.recipes import ClaimsRecipe
from twostream.scores import read_scores


def main() -> None:
    args = cli.arguments(__doc__).parse_args()
    recipe = cli.recipe(ClaimsRecipe, args)
    with cli.record(args, recipe):
        claims = check_claims(recipe, cache(read_scores))
        with written_whole(args.out) as part:
            claims.to_csv(part, index=False)


if __name__ == "__main__":
    cli.run(main)

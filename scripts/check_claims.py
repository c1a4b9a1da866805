"""Judge the paper's claims on our score files."""

from twostream import cli
from twostream.config.recipes import ClaimsRecipe
from twostream.files import atomic_write
from twostream.results.claims import check_claims
from twostream.scores.score_file import reader_of


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--scores", nargs="+", required=True, help="all score files that the recipe names")
    args = parser.parse_args()
    recipe = cli.recipe(ClaimsRecipe, args)
    with cli.record(args, recipe):
        claims = check_claims(recipe, reader_of(args.scores))
        with atomic_write(args.out) as part:
            claims.to_csv(part, index=False)


if __name__ == "__main__":
    cli.run(main)

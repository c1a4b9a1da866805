"""Judge the paper's claims on our score files."""

from twostream import cli
from twostream.claims import check_claims
from twostream.files import written_whole
from twostream.recipes import ClaimsRecipe
from twostream.scores import reader_of


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--scores", nargs="+", required=True, help="all score files that the recipe names")
    args = parser.parse_args()
    recipe = cli.recipe(ClaimsRecipe, args)
    with cli.record(args, recipe):
        claims = check_claims(recipe, reader_of(args.scores))
        with written_whole(args.out) as part:
            claims.to_csv(part, index=False)


if __name__ == "__main__":
    cli.run(main)

"""Take over published weights, fetched if need be, for runs to start from."""

from pathlib import Path

from twostream import cli, paths
from twostream.config.networks import PackagedFile
from twostream.config.recipes import ImportRecipe
from twostream.config.sources import Archive
from twostream.downloads import fetch
from twostream.networks.packaged_file import packaged_file
from twostream.networks.published_weights import import_weights


def main() -> None:
    parser = cli.arguments(__doc__)
    origin = parser.add_mutually_exclusive_group(required=True)
    origin.add_argument("--file", type=Path, help="the file with the weights")
    origin.add_argument("--archive", help="JSON: `sources` to fetch the file from")
    origin.add_argument("--package", help="JSON: `name` of a package and `file` in it, with its `sha256`")
    args = parser.parse_args()
    recipe = cli.recipe(ImportRecipe, args)
    with cli.record(args, recipe) as record:
        file = args.file
        if args.archive:
            folder, known = (p.format(dataset=recipe.name) for p in (paths.ARCHIVES, paths.CHECKSUMS))
            archive = cli.from_json(Archive, args.archive, "--archive")
            file = fetch(archive, Path(folder), Path(known))
        elif args.package:
            file = packaged_file(cli.from_json(PackagedFile, args.package, "--package"))
        record.facts |= import_weights(recipe, file, args.out)


if __name__ == "__main__":
    cli.run(main)

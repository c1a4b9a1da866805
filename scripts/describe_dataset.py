"""Describe a dataset as it was understood: a page to look at before anything is trained on it."""

from pathlib import Path

from twostream import cli
from twostream.config.recipes import DescriptionRecipe
from twostream.files import atomic_write
from twostream.results.dataset_page import dataset_page
from twostream.results.description import described, left_out, summary_rows
from twostream.results.formatting import as_text
from twostream.videos.excerpt import whole
from twostream.videos.index import read_index
from twostream.videos.listing import passed_over


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--index", required=True, help="the dataset's index")
    parser.add_argument("--folder", required=True, type=Path, help="where its videos are")
    parser.add_argument("--skipped", help="the report on videos that were left out, if there is one")
    args = parser.parse_args()
    recipe = cli.recipe(DescriptionRecipe, args)
    with cli.record(args, recipe):
        index = described(read_index(args.index), args.folder, recipe.media)
        skipped = left_out(args.skipped)
        listed = set(map(whole, (*index["file"], *skipped["file"].astype(str))))
        # What a list names need not end as videos do.
        others = [file for file in passed_over(args.folder, recipe.media) if file not in listed]
        print(as_text(summary_rows(index, skipped, others)))
        text = dataset_page(recipe.dataset, index, args.folder, recipe.media, skipped, others)
        with atomic_write(args.out) as part:
            part.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)

"""Write the tables of results in README.md and the documents, from the CSVs below docs/results."""

import argparse

from twostream import cli
from twostream.files import atomic_write
from twostream.results.documents import documents, with_results


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    before = {document: document.read_text(encoding="utf-8") for document in documents()}
    # All of them first, so that nothing is written if one cannot be.
    after = {document: with_results(text, str(document)) for document, text in before.items()}
    for document, text in after.items():
        if text != before[document]:
            with atomic_write(document) as part:
                part.write_text(text, encoding="utf-8")
            print(f"{document}: written")


if __name__ == "__main__":
    cli.run(main)

"""What the command-line programs share: arguments that rules pass, and how errors reach the user."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from twostream import arithmetic
from twostream.config.loading import parse
from twostream.files import UserError
from twostream.provenance.locks import locked
from twostream.provenance.records import BY_HAND, Recording, recorded
from twostream.provenance.specs import Spec, code_digest
from twostream.provenance.staleness import Seen

Model = TypeVar("Model", bound=BaseModel)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the arguments of every script that makes an artefact."""
    parser = argparse.ArgumentParser(description=description)
    add_recipe(parser, required=True)
    parser.add_argument("--out", required=True, help="the file to write")
    return parser


def add_recipe(parser: argparse._ActionsContainer, required: bool) -> None:
    """Add what a rule hands on from the plan: the recipe and a file with the spec."""
    parser.add_argument("--recipe", required=required, help="JSON; recipes.py has its model")
    parser.add_argument("--spec", type=_spec, help="file of the plan's (specs.py)")


def _spec(file: str) -> Spec:
    try:
        return Spec.model_validate_json(Path(file).read_text())
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{file}: is not a spec: {error}") from None


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the device that a script computes on."""
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the number of processes that read and decode for the script's own."""
    parser.add_argument("--workers", type=int, default=0, help="processes that read and decode for it")


def recipe(model: type[Model], args: argparse.Namespace) -> Model:
    """Return the recipe given on the command line."""
    return from_json(model, args.recipe, "--recipe")


def from_json(model: type[Model], text: str, option: str) -> Model:
    """Return the JSON given with an option as a `model`."""
    try:
        return parse(model, json.loads(text), option)
    except json.JSONDecodeError as error:
        raise UserError(f"{option}: is not JSON: {error}") from None


@contextmanager
def record(args: argparse.Namespace, given: BaseModel) -> Iterator[Recording]:
    """Hold the output's lock, and write its record once the block has succeeded; see `records`.

    Of several processes that `torchrun` started, the first does so for all. Raises UserError if code or
    inputs are no longer those of the spec, as the record would say what is not so.
    """
    if os.environ.get("RANK", "0") != "0":
        yield Recording()
        return
    device = vars(args).get("device", "cpu")
    recording = recorded(args.out, given.model_dump(mode="json"), args.spec or BY_HAND, device)
    with locked(args.out), recording as content:
        seen = Seen()
        for file in args.spec.made_from if args.spec else ():
            seen.check(file)
        if args.spec and code_digest(args.spec.script, args.spec.modules) != args.spec.code:
            raise UserError(
                f"the code of scripts/{args.spec.script}.py has changed since this call of snakemake began;"
                " call it again"
            )
        yield content


def run(main: Callable[[], None]) -> None:
    """Run a script; what the user can put right is shown as a message, not as a traceback."""
    try:
        arithmetic.check()
        main()
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")

"""What the command-line programs share: arguments that rules pass, and how errors reach the user."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel

from twostream import paths
from twostream.files import UserError
from twostream.loading import parse
from twostream.locking import locked
from twostream.records import recorded

Model = TypeVar("Model", bound=BaseModel)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the arguments of every script that makes an artefact."""
    parser = argparse.ArgumentParser(description=description)
    add_recipe(parser, required=True)
    parser.add_argument("--out", required=True, help="the file to write")
    return parser


def add_recipe(parser: argparse._ActionsContainer, required: bool) -> None:
    """Add what a rule hands on from the plan: the recipe and its spec."""
    parser.add_argument("--recipe", required=required, help="JSON; recipes.py has its model")
    parser.add_argument("--spec", default="by hand", help="goes into the record beside the output")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the device that a script computes on."""
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")


def recipe(model: type[Model], args: argparse.Namespace) -> Model:
    """Return the recipe given on the command line."""
    try:
        return parse(model, json.loads(args.recipe), "--recipe")
    except json.JSONDecodeError as error:
        raise UserError(f"--recipe: is not JSON: {error}") from None


@contextmanager
def record(args: argparse.Namespace, given: BaseModel) -> Iterator[dict[str, Any]]:
    """Hold the output's lock, and write its record once the block has succeeded; see `records`."""
    facts = {"device": args.device} if "device" in args else {}
    recording = recorded(paths.record(args.out), args.spec, given.model_dump(), **facts)
    with locked(args.out), recording as content:
        yield content


def run(main: Callable[[], None]) -> None:
    """Run a script; what the user can put right is shown as a message, not as a traceback."""
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")

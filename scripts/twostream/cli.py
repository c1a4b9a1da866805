"""What the command-line programs share: arguments that rules pass, and how errors reach the user."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from twostream import arithmetic, slurm
from twostream.config.loading import parse
from twostream.files import InterruptedJobError, UserError
from twostream.provenance.failures import failing_once
from twostream.provenance.locks import locked
from twostream.provenance.records import BY_HAND, Recording, recorded, remove_earlier
from twostream.provenance.specs import Spec, code_digest
from twostream.provenance.staleness import Seen, made_meanwhile

Model = TypeVar("Model", bound=BaseModel)

# The scripts that go on where they were told to stop. Others begin anew, and would do so for ever: they need
# more time, which a retry asks for.
GO_ON = ("extract_frames", "extract_flow", "pretrain", "train_stream")


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the arguments of every script that makes an artefact."""
    parser = argparse.ArgumentParser(description=description)
    add_recipe(parser)
    parser.add_argument("--out", required=True, help="the file to write")
    return parser


def add_recipe(parser: argparse._ActionsContainer) -> None:
    """Add what says what to make: a file of the plan's, as rules have it, or a recipe by hand."""
    parser.add_argument("--spec", type=_spec, help="file of the plan's with spec and recipe (specs.py)")
    parser.add_argument("--recipe", help="the recipe as JSON, by hand; recipes.py has its model")


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


def add_stage(parser: argparse.ArgumentParser) -> None:
    """Add whether shards are read from copies of this machine's own (`staging`)."""
    parser.add_argument("--stage", action="store_true", help="copy the shards to TMPDIR first")


def recipe(model: type[Model], args: argparse.Namespace) -> Model:
    """Return the recipe: the plan's, or the one given by hand."""
    planned = args.spec and args.spec.recipe
    if (args.recipe is None) == (planned is None):
        raise UserError("--recipe: give either it or --spec with a file of the plan's that has a recipe")
    if planned is not None:
        return parse(model, planned, "--spec: its recipe")
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

    Of several processes that `torchrun` started, the first does so for all. If another job has made the
    artefact since this one was planned, the script ends here, and well. Raises UserError if code or inputs
    are no longer those of the spec, as the record would say what is not so.
    """
    if os.environ.get("RANK", "0") != "0":
        yield Recording()
        return
    device = vars(args).get("device", "cpu")
    recording = recorded(args.out, given.model_dump(mode="json"), args.spec or BY_HAND, device)
    if not args.spec:
        with locked(args.out), recording as content:
            yield content
        return
    with locked(args.out), failing_once(args.out):
        _stop_if_made_meanwhile(args.out, args.spec)
        with recording as content:
            _check_inputs(args.spec)
            remove_earlier(args.out)
            yield content


def _stop_if_made_meanwhile(artefact: str, spec: Spec) -> None:
    if not made_meanwhile(artefact, spec):
        return
    print(f"{artefact}: has been made meanwhile, by this very spec; nothing is left to do", file=sys.stderr)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        # Not before: it loads torch.
        from twostream.devices import dismiss_others

        dismiss_others()
    sys.exit()


def _check_inputs(spec: Spec) -> None:
    seen = Seen()
    for file in spec.made_from:
        seen.check(file)
    if code_digest(spec.script, spec.modules) != spec.code:
        raise UserError(
            f"the code of scripts/{spec.script}.py has changed since this call of snakemake began; call it"
            " again"
        )


def run(main: Callable[[], None]) -> None:
    """Run a script; what the user can put right is shown as a message, not as a traceback.

    SIGTERM, by which clusters announce the end of a job, is told as an error too; if the script keeps what it
    has done, SLURM is asked to run the job again.
    """
    signal.signal(signal.SIGTERM, _stop)
    if place := slurm.place():
        print(place, file=sys.stderr, flush=True)
    try:
        arithmetic.check()
        main()
    except InterruptedJobError as error:
        goes_on = Path(sys.argv[0]).stem in GO_ON and os.environ.get("RANK", "0") == "0"
        again = goes_on and slurm.requeue()
        sys.exit(f"error: {error}{'; SLURM is asked to run this job again' if again else ''}")
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")


def _stop(*_: object) -> None:
    # Once is enough: what is done on the way out is not to be interrupted in its turn.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise InterruptedJobError("told to stop (SIGTERM)")

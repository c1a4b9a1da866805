"""Say of artefacts whether they are current, and if not why: `explain_stale.py models/.../x.safetensors`."""

import argparse

from twostream import cli, paths
from twostream.config.loading import load_config
from twostream.files import UserError
from twostream.plan.plan import Plan
from twostream.provenance.explanation import why_stale
from twostream.provenance.staleness import check_unchanged
from twostream.provenance.steps import Step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artefacts", nargs="*", help="files; without any, all artefacts that are here")
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    args = parser.parse_args()
    plan = Plan(load_config(overrides={"scale": args.scale} if args.scale else None))
    for artefact in args.artefacts or paths.artefacts_here():
        step = plan.step_of(artefact)
        if step is None and args.artefacts:
            raise UserError(f"{artefact}: the configuration names no such artefact")
        if step:
            print(f"{artefact}: {explained(artefact, step)}")


def explained(artefact: str, step: Step) -> str:
    """Why an artefact is stale, or what is wrong with it; else that it is current."""
    try:
        check_unchanged(artefact)
        return "; ".join(why_stale(artefact, step)) or "current"
    except UserError as error:
        return f"cannot be used: {error}"


if __name__ == "__main__":
    cli.run(main)

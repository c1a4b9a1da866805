"""Show what the run of a scale has cost by stage, beside what a scheduler was asked for.

    python scripts/show_costs.py --scale paper

GPU and CPU hours, peak memory and the longest job, of the artefacts that are here: by `scratch/runs`, where
each job leaves what it used, on whichever node it ran.
"""

import argparse

from twostream import cli
from twostream.config.loading import load_config
from twostream.plan.costs import cost_rows, costs
from twostream.plan.plan import Plan
from twostream.plan.videos import videos_indexed
from twostream.results.formatting import as_text


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    args = parser.parse_args()
    plan = Plan(load_config(overrides={"scale": args.scale} if args.scale else None))
    found = costs(plan, videos_indexed(plan.scale.datasets))
    if not found:
        print(f"nothing of the scale {plan.config.scale_name} is here")
        return
    print(as_text(cost_rows(found)))


if __name__ == "__main__":
    cli.run(main)

# What the rules' inputs have in common.
from snakemake.io import _IOFile


async def not_protected(file):
    return False


# Outputs are replaced, never written into. DVC write-protects what it links into its cache, by which
# Snakemake would take it for protected from being made again.
_IOFile.protected = not_protected


@cache
def check_nothing_is_lost():
    if workflow.is_main_process:
        targets = workflow.dag_settings.targets
        lost.check_nothing_is_lost(targeted(plan, targets), named=targets)


def spec_file(stage):
    def input_function(w):
        artefact = paths.ARTEFACTS[stage].format(**dict(w.items()))
        try:
            check_nothing_is_lost()
            return provenance.spec_file(artefact, plan.step(stage, w))
        except UserError as error:
            # Not an Exception, which would be shown with a traceback.
            raise SystemExit(f"error: {error}")

    return input_function


def records(stage):
    return lambda w: [paths.record(file) for file in plan.step(stage, w).inputs]


@cache
def videos_indexed():
    records = {name: read_record(paths.INDEX.format(dataset=name)) for name in DATASETS}
    return {name: record["videos"] for name, record in records.items() if record}


def needs(stage, resource):
    def resource_function(w):
        step = plan.step(stage, w)
        found = needs_of(step, w.get("dataset"), plan.config, videos_indexed())
        return getattr(found, resource)

    return resource_function


def limit_gpus():
    """Let no more jobs run than this machine has GPUs for, if it runs them, and the user set no limit.

    Later than where Snakemake takes `--resources`, as it would cut down to these what jobs ask for.
    """
    asked = max(
        (job.scheduler_resources.get("gpu", 0) for job in workflow.dag.needrun_jobs()),
        default=0,
    )
    given = "gpu" in workflow.resource_settings.resources
    if asked and workflow.local_exec and not workflow.touch and not given:
        here = gpus_here()
        check_gpus(asked, here)
        workflow.register_resource("gpu", here)
        workflow.scheduler.global_resources["gpu"] = here

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


# The files of one of a step's inputs, by its name.
def named(stage, name):
    return lambda w: plan.step(stage, w).files(name)


# Options for those of a rule's inputs that have files, each called as its input is.
def options(*names):
    def params_function(w, input):
        return [
            part
            for name in names
            if input.get(name)
            for part in (f"--{name.replace('_', '-')}", *input.get(name))
        ]

    return params_function


def records(stage):
    return lambda w: [paths.record(file) for file in plan.step(stage, w).inputs]

# What the rules' inputs have in common.


@cache
def check_nothing_is_lost():
    if workflow.is_main_process:
        lost.check_nothing_is_lost(targeted(plan, workflow.dag_settings.targets))


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

# What the rules have in common: what makes a job stale (scripts/twostream/plan/wire.py), and what it needs.
wire = Wire(workflow, plan)
remade_if_stale = wire.remade_if_stale
spec_file = wire.spec_file


def needs(rule, resource):
    def resource_function(w):
        found = needs_of(plan.step(rule, w), w.get("dataset"), plan.config, INDEXED)
        return getattr(found, resource)

    return resource_function


# The files of one of a step's inputs, by its name.
def named(rule, name):
    return lambda w: plan.step(rule, w).files(name)


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

# What the rules have in common: what makes a job stale (scripts/twostream/wire.py), and what it needs.
wire = Wire(workflow, plan)
remade_if_stale = wire.remade_if_stale
spec_file = wire.spec_file


def needs(rule, resource):
    def resource_function(w):
        found = needs_of(plan.step(rule, w), w.get("dataset"), plan.config, INDEXED)
        return getattr(found, resource)

    return resource_function

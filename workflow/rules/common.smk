# What the rules have in common: what makes a job stale (scripts/twostream/plan/wire.py), and what it needs.
from snakemake.iocontainers import Wildcards

wire = Wire(workflow, plan)
cluster = Cluster(workflow)
remade_if_stale = wire.remade_if_stale
spec_file = wire.spec_file


# Shards are handed to a cluster as arrays, whose jobs all get what the first asks for.
ARRAYS = ("extract_frames", "extract_flow")


def needs(rule, resource):
    def resource_function(w, attempt):
        longest = cluster.longest_job() if cluster.is_used else None
        datasets = [w.get("dataset")]
        in_arrays = rule in ARRAYS
        if in_arrays:
            datasets = [
                d for d in DATASETS if DATASETS[d].media == DATASETS[w.dataset].media
            ]
        steps = [
            (plan.step(rule, Wildcards(fromdict={**w, "dataset": d})), d)
            for d in datasets
            if d
        ]
        steps = steps or [(plan.step(rule, w), None)]
        asked = [
            needs_of(step, d, plan.config, INDEXED).of_attempt(attempt, longest)
            for step, d in steps
        ]
        return max(getattr(found, resource) for found in asked)

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

# From score files to tables: seconds each, so change and repeat at will.


def fusing(w):
    """The plan's fusion step for a score file's wildcards."""
    return plan.fuse_streams(w.fusion, w.dataset, int(w.split), int(w.seed))


FUSED = "scores/fused/{fusion}/{dataset}-split{split}-seed{seed}"


rule fuse_streams:
    input:
        lambda w: fusing(w).inputs,
    output:
        scores=FUSED + ".npz",
        record=FUSED + ".record.json",
    log:
        "logs/fuse_streams/{fusion}/{dataset}-split{split}-seed{seed}.log",
    wildcard_constraints:
        split=r"\d+",
    params:
        recipe=lambda w: fusing(w).recipe_json,
        spec=lambda w: fusing(w).spec,
    threads: 1
    conda:
        "../../environment.yml"
    shell:
        "python scripts/fuse_streams.py --recipe {params.recipe:q} --spec {params.spec}"
        " --spatial {input[0]:q} --temporal {input[1]:q}"
        " --out {output.scores:q} > {log:q} 2>&1"


rule make_table:
    input:
        lambda w: plan.make_table(w.table).inputs,
    output:
        table="results/{table}.csv",
        metrics="results/{table}.json",
        record="results/{table}.record.json",
    log:
        "logs/make_table/{table}.log",
    params:
        recipe=lambda w: plan.make_table(w.table).recipe_json,
        spec=lambda w: plan.make_table(w.table).spec,
    threads: 1
    conda:
        "../../environment.yml"
    shell:
        "python scripts/make_table.py --recipe {params.recipe:q} --spec {params.spec}"
        " --scores {input:q} --out {output.table:q} > {log:q} 2>&1"

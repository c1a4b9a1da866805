# From score files to tables: seconds each, so change and repeat at will.


rule fuse_streams:
    input:
        spec=spec_file("fuse_streams"),
        records=records("fuse_streams"),
        spatial=ancient(lambda w: plan.step("fuse_streams", w).inputs[0]),
        temporal=ancient(lambda w: plan.step("fuse_streams", w).inputs[1]),
    output:
        scores=paths.FUSED,
        record=paths.record(paths.FUSED),
    log:
        "logs/fuse_streams/{fusion}/{dataset}-split{split}-seed{seed}.log",
    wildcard_constraints:
        split=r"[1-9]\d*",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=lambda w: plan.step("fuse_streams", w).recipe_json,
    shell:
        "python scripts/fuse_streams.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --spatial {input.spatial:q} --temporal {input.temporal:q}"
        " --out {output.scores:q} > {log:q} 2>&1"


rule make_table:
    input:
        spec=spec_file("make_table"),
        records=records("make_table"),
        scores=ancient(lambda w: plan.step("make_table", w).inputs),
    output:
        table=paths.TABLE,
        metrics=paths.metrics(paths.TABLE),
        record=paths.record(paths.TABLE),
    log:
        "logs/make_table/{table}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=lambda w: plan.step("make_table", w).recipe_json,
    shell:
        "python scripts/make_table.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --scores {input.scores:q} --out {output.table:q} > {log:q} 2>&1"

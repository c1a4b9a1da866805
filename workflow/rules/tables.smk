# From score files to tables and claims: seconds each, so change and repeat at will.


rule import_scores:
    input:
        spec=spec_file("import_scores"),
        records=records("import_scores"),
        index=ancient(paths.INDEX),
    output:
        scores=paths.OTHERS,
        record=paths.record(paths.OTHERS),
    log:
        "logs/import_scores/{method}/{dataset}-split{split}.log",
    wildcard_constraints:
        split=r"[1-9]\d*",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=lambda w: plan.step("import_scores", w).recipe_json,
        given=lambda w: paths.GIVEN.format(**w),
    shell:
        "python scripts/import_scores.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --index {input.index:q} --given {params.given:q} --out {output.scores:q} > {log:q} 2>&1"


rule fuse_streams:
    input:
        spec=spec_file("fuse_streams"),
        records=records("fuse_streams"),
        spatial=ancient(named("fuse_streams", "spatial")),
        temporal=ancient(named("fuse_streams", "temporal")),
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
        scores=ancient(named("make_table", "scores")),
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


rule check_claims:
    input:
        spec=spec_file("check_claims"),
        records=records("check_claims"),
        scores=ancient(named("check_claims", "scores")),
    output:
        claims=paths.CLAIMS,
        record=paths.record(paths.CLAIMS),
    log:
        "logs/check_claims.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=lambda w: plan.step("check_claims", w).recipe_json,
    shell:
        "python scripts/check_claims.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --scores {input.scores:q} --out {output.claims:q} > {log:q} 2>&1"


rule compare_methods:
    input:
        spec=spec_file("compare_methods"),
        records=records("compare_methods"),
        scores=ancient(named("compare_methods", "scores")),
    output:
        methods=paths.METHODS,
        record=paths.record(paths.METHODS),
    log:
        "logs/compare_methods.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=lambda w: plan.step("compare_methods", w).recipe_json,
    shell:
        "python scripts/compare_methods.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --scores {input.scores:q} --out {output.methods:q} > {log:q} 2>&1"

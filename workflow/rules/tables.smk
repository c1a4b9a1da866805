# From score files to tables and claims: seconds each, so change and repeat at will.


rule import_scores:
    input:
        stale=remade_if_stale("import_scores"),
        index=paths.INDEX,
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
    resources:
        mem_mb=needs("import_scores", "mem_mb"),
        runtime=needs("import_scores", "runtime"),
        gpu=needs("import_scores", "gpu"),
    params:
        spec=spec_file("import_scores"),
        given=lambda w: paths.GIVEN.format(**w),
    shell:
        "python scripts/import_scores.py --spec {params.spec:q}"
        " --index {input.index:q} --given {params.given:q} --out {output.scores:q} > {log:q} 2>&1"


rule fuse_streams:
    input:
        **{stream: named("fuse_streams", stream) for stream in STREAMS},
        stale=remade_if_stale("fuse_streams"),
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
    resources:
        mem_mb=needs("fuse_streams", "mem_mb"),
        runtime=needs("fuse_streams", "runtime"),
        gpu=needs("fuse_streams", "gpu"),
    params:
        spec=spec_file("fuse_streams"),
        scores=options(*STREAMS),
    shell:
        "python scripts/fuse_streams.py --spec {params.spec:q}"
        " {params.scores:q} --out {output.scores:q} > {log:q} 2>&1"


rule make_table:
    input:
        stale=remade_if_stale("make_table"),
        scores=named("make_table", "scores"),
    output:
        table=paths.TABLE,
        metrics=paths.metrics(paths.TABLE),
        record=paths.record(paths.TABLE),
    log:
        "logs/make_table/{table}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("make_table", "mem_mb"),
        runtime=needs("make_table", "runtime"),
        gpu=needs("make_table", "gpu"),
    params:
        spec=spec_file("make_table"),
    shell:
        "python scripts/make_table.py --spec {params.spec:q}"
        " --scores {input.scores:q} --out {output.table:q} > {log:q} 2>&1"


rule check_claims:
    input:
        stale=remade_if_stale("check_claims"),
        scores=named("check_claims", "scores"),
    output:
        claims=paths.CLAIMS,
        record=paths.record(paths.CLAIMS),
    log:
        "logs/check_claims.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("check_claims", "mem_mb"),
        runtime=needs("check_claims", "runtime"),
        gpu=needs("check_claims", "gpu"),
    params:
        spec=spec_file("check_claims"),
    shell:
        "python scripts/check_claims.py --spec {params.spec:q}"
        " --scores {input.scores:q} --out {output.claims:q} > {log:q} 2>&1"


rule compare_trial:
    input:
        stale=remade_if_stale("compare_trial"),
        outcomes=named("compare_trial", "outcomes"),
    output:
        table=paths.TRIAL_TABLE,
        record=paths.record(paths.TRIAL_TABLE),
    log:
        "logs/compare_trial/{trial}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("compare_trial", "mem_mb"),
        runtime=needs("compare_trial", "runtime"),
        gpu=needs("compare_trial", "gpu"),
    params:
        spec=spec_file("compare_trial"),
    shell:
        "python scripts/compare_trial.py --spec {params.spec:q}"
        " --outcomes {input.outcomes:q} --out {output.table:q} > {log:q} 2>&1"


rule compare_methods:
    input:
        stale=remade_if_stale("compare_methods"),
        scores=named("compare_methods", "scores"),
    output:
        methods=paths.METHODS,
        record=paths.record(paths.METHODS),
    log:
        "logs/compare_methods.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("compare_methods", "mem_mb"),
        runtime=needs("compare_methods", "runtime"),
        gpu=needs("compare_methods", "gpu"),
    params:
        spec=spec_file("compare_methods"),
    shell:
        "python scripts/compare_methods.py --spec {params.spec:q}"
        " --scores {input.scores:q} --out {output.methods:q} > {log:q} 2>&1"

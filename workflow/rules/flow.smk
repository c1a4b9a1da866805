# Optical flow, forward and backward.


rule extract_flow:
    input:
        index=paths.INDEX,
    output:
        shard=paths.FLOW,
        record=paths.record(paths.FLOW),
    log:
        "logs/extract_flow/{dataset}/{direction}/{shard}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=lambda w: plan.step("flow", w).recipe_json,
        spec=lambda w: plan.step("flow", w).spec,
        folder=lambda w: plan.folder(w.dataset),
    shell:
        "python scripts/extract_flow.py --recipe {params.recipe:q} --spec {params.spec}"
        " --folder {params.folder:q} --index {input.index:q} --shard {wildcards.shard}"
        " --out {output.shard:q} > {log:q} 2>&1"

# Optical flow, forward and backward.


rule extract_flow:
    input:
        stale=remade_if_stale("flow"),
        index=paths.INDEX,
    output:
        shard=paths.FLOW,
        record=paths.record(paths.FLOW),
    log:
        "logs/extract_flow/{dataset}/{direction}/{shard}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("flow", "mem_mb"),
        runtime=needs("flow", "runtime"),
        gpu=needs("flow", "gpu"),
    params:
        recipe=lambda w: plan.step("flow", w).recipe_json,
        spec=spec_file("flow"),
        device=lambda w: plan.config.device,
        folder=lambda w: plan.folder(w.dataset),
    shell:
        "python scripts/extract_flow.py --recipe {params.recipe:q} --spec {params.spec:q}"
        " --videos {params.folder:q} --index {input.index:q} --shard {wildcards.shard}"
        " --device {params.device}"
        " --out {output.shard:q} > {log:q} 2>&1"

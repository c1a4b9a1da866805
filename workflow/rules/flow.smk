# Optical flow, forward and backward.


rule extract_flow:
    input:
        stale=remade_if_stale("extract_flow"),
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
        mem_mb=needs("extract_flow", "mem_mb"),
        runtime=needs("extract_flow", "runtime"),
        gpu=needs("extract_flow", "gpu"),
    params:
        spec=spec_file("extract_flow"),
        device=lambda w: plan.config.device,
        folder=lambda w: plan.videos.dataset(w.dataset).folder,
    shell:
        "python scripts/extract_flow.py --spec {params.spec:q}"
        " --videos {params.folder:q} --index {input.index:q} --shard {wildcards.shard}"
        " --device {params.device}"
        " --out {output.shard:q} > {log:q} 2>&1"


# Not in an array with the scale's own flow, as it may take longer or no GPU.
use rule extract_flow as extract_other_flow with:
    input:
        stale=remade_if_stale("extract_other_flow"),
        index=paths.INDEX,
    output:
        shard=paths.OTHER_FLOW,
        record=paths.record(paths.OTHER_FLOW),
    log:
        "logs/extract_flow/{dataset}/{direction}-{algorithm}/{shard}.log",
    resources:
        mem_mb=needs("extract_other_flow", "mem_mb"),
        runtime=needs("extract_other_flow", "runtime"),
        gpu=needs("extract_other_flow", "gpu"),
    params:
        spec=spec_file("extract_other_flow"),
        device=lambda w: plan.config.device,
        folder=lambda w: plan.videos.dataset(w.dataset).folder,

# Optical flow, forward and backward.


rule extract_flow:
    input:
        index=paths.index("{dataset}"),
    output:
        shard="data/flow/{dataset}/{direction}/{shard}.zip",
        record="data/flow/{dataset}/{direction}/{shard}.record.json",
    log:
        "logs/extract_flow/{dataset}/{direction}/{shard}.log",
    params:
        recipe=lambda w: plan.flow(w.dataset, w.direction).recipe_json,
        spec=lambda w: plan.flow(w.dataset, w.direction).spec,
        folder=lambda w: plan.folder(w.dataset),
    threads: 1
    conda:
        "../../environment.yml"
    shell:
        "python scripts/extract_flow.py --recipe {params.recipe:q} --spec {params.spec}"
        " --folder {params.folder:q} --index {input.index:q} --shard {wildcards.shard}"
        " --out {output.shard:q} > {log:q} 2>&1"

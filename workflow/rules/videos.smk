# Videos and their index, by the dataset's source; and their frames.


rule generate_videos:
    input:
        stale=remade_if_stale("videos"),
    output:
        index=paths.INDEX,
        record=paths.record(paths.INDEX),
    log:
        "logs/generate_videos/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(d for d in DATASETS if DATASETS[d].source.kind == "generated"),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("videos", "mem_mb"),
        runtime=needs("videos", "runtime"),
        gpu=needs("videos", "gpu"),
    params:
        recipe=lambda w: plan.step("videos", w).recipe_json,
        spec=spec_file("videos"),
        folder=lambda w: plan.folder(w.dataset),
    shell:
        "python scripts/generate_videos.py --recipe {params.recipe:q} --spec {params.spec:q}"
        " --folder {params.folder:q}"
        " --out {output.index:q} > {log:q} 2>&1"


rule download_videos:
    input:
        stale=remade_if_stale("videos"),
    output:
        index=paths.INDEX,
        skipped=paths.SKIPPED,
        record=paths.record(paths.INDEX),
    log:
        "logs/download_videos/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(d for d in DATASETS if DATASETS[d].source.kind == "official"),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("videos", "mem_mb"),
        runtime=needs("videos", "runtime"),
        gpu=needs("videos", "gpu"),
    params:
        recipe=lambda w: plan.step("videos", w).recipe_json,
        spec=spec_file("videos"),
        source=lambda w: plan.source_json(w.dataset),
        on_bad_video=lambda w: plan.config.on_bad_video,
    shell:
        "python scripts/download_videos.py --recipe {params.recipe:q} --spec {params.spec:q}"
        " --dataset {wildcards.dataset} --source {params.source:q}"
        " --on-bad-video {params.on_bad_video} --skipped {output.skipped:q}"
        " --out {output.index:q} > {log:q} 2>&1"


rule index_folder:
    input:
        stale=remade_if_stale("videos"),
    output:
        index=paths.INDEX,
        skipped=paths.SKIPPED,
        record=paths.record(paths.INDEX),
    log:
        "logs/index_folder/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(d for d in DATASETS if DATASETS[d].source.kind == "folder"),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("videos", "mem_mb"),
        runtime=needs("videos", "runtime"),
        gpu=needs("videos", "gpu"),
    params:
        recipe=lambda w: plan.step("videos", w).recipe_json,
        spec=spec_file("videos"),
        folder=lambda w: plan.folder(w.dataset),
        list=lambda w: plan.list_option(w.dataset),
        on_bad_video=lambda w: plan.config.on_bad_video,
    shell:
        "python scripts/index_folder.py --recipe {params.recipe:q} --spec {params.spec:q}"
        " --folder {params.folder:q} {params.list:q} --on-bad-video {params.on_bad_video} --skipped {output.skipped:q}"
        " --out {output.index:q} > {log:q} 2>&1"


rule extract_frames:
    input:
        stale=remade_if_stale("frames"),
        index=paths.INDEX,
    output:
        shard=paths.FRAMES,
        record=paths.record(paths.FRAMES),
    log:
        "logs/extract_frames/{dataset}/{shard}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("frames", "mem_mb"),
        runtime=needs("frames", "runtime"),
        gpu=needs("frames", "gpu"),
    params:
        recipe=lambda w: plan.step("frames", w).recipe_json,
        spec=spec_file("frames"),
        folder=lambda w: plan.folder(w.dataset),
    shell:
        "python scripts/extract_frames.py --recipe {params.recipe:q} --spec {params.spec:q}"
        " --folder {params.folder:q} --index {input.index:q} --shard {wildcards.shard}"
        " --out {output.shard:q} > {log:q} 2>&1"

# Videos and their index, each dataset's by the rule for its kind (scripts/twostream/plan/datasets.py); and
# their frames. The plan calls an index's step `index`, whichever rule makes it.


rule generate_videos:
    input:
        stale=remade_if_stale("index"),
    output:
        index=paths.INDEX,
        record=paths.record(paths.INDEX),
    log:
        "logs/generate_videos/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(plan.videos.indexed_by("generate_videos")),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("index", "mem_mb"),
        runtime=needs("index", "runtime"),
        gpu=needs("index", "gpu"),
    params:
        spec=spec_file("index"),
        options=lambda w: plan.videos.dataset(w.dataset).options(),
    shell:
        "python scripts/generate_videos.py --spec {params.spec:q}"
        " {params.options:q}"
        " --out {output.index:q} > {log:q} 2>&1"


rule download_videos:
    input:
        stale=remade_if_stale("index"),
    output:
        index=paths.INDEX,
        skipped=paths.SKIPPED,
        record=paths.record(paths.INDEX),
    log:
        "logs/download_videos/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(plan.videos.indexed_by("download_videos")),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("index", "mem_mb"),
        runtime=needs("index", "runtime"),
        gpu=needs("index", "gpu"),
    params:
        spec=spec_file("index"),
        options=lambda w: plan.videos.dataset(w.dataset).options(),
    shell:
        "python scripts/download_videos.py --spec {params.spec:q}"
        " {params.options:q} --skipped {output.skipped:q}"
        " --out {output.index:q} > {log:q} 2>&1"


rule index_folder:
    input:
        stale=remade_if_stale("index"),
    output:
        index=paths.INDEX,
        skipped=paths.SKIPPED,
        record=paths.record(paths.INDEX),
    log:
        "logs/index_folder/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(plan.videos.indexed_by("index_folder")),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("index", "mem_mb"),
        runtime=needs("index", "runtime"),
        gpu=needs("index", "gpu"),
    params:
        spec=spec_file("index"),
        options=lambda w: plan.videos.dataset(w.dataset).options(),
    shell:
        "python scripts/index_folder.py --spec {params.spec:q}"
        " {params.options:q} --skipped {output.skipped:q}"
        " --out {output.index:q} > {log:q} 2>&1"


rule index_segments:
    input:
        stale=remade_if_stale("index"),
    output:
        index=paths.INDEX,
        skipped=paths.SKIPPED,
        record=paths.record(paths.INDEX),
    log:
        "logs/index_segments/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(plan.videos.indexed_by("index_segments")),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("index", "mem_mb"),
        runtime=needs("index", "runtime"),
        gpu=needs("index", "gpu"),
    params:
        spec=spec_file("index"),
        options=lambda w: plan.videos.dataset(w.dataset).options(),
    shell:
        "python scripts/index_segments.py --spec {params.spec:q}"
        " {params.options:q} --skipped {output.skipped:q}"
        " --out {output.index:q} > {log:q} 2>&1"


rule extract_frames:
    input:
        stale=remade_if_stale("extract_frames"),
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
        mem_mb=needs("extract_frames", "mem_mb"),
        runtime=needs("extract_frames", "runtime"),
        gpu=needs("extract_frames", "gpu"),
    params:
        spec=spec_file("extract_frames"),
        folder=lambda w: plan.videos.dataset(w.dataset).folder,
    shell:
        "python scripts/extract_frames.py --spec {params.spec:q}"
        " --folder {params.folder:q} --index {input.index:q} --shard {wildcards.shard}"
        " --out {output.shard:q} > {log:q} 2>&1"

# Videos and their index, by the dataset's source; and their frames.


def dataset_of(kind):
    """A regular expression for the datasets whose source is of a kind."""
    return one_of(name for name, dataset in DATASETS.items() if dataset.source.kind == kind)


rule generate_videos:
    output:
        index=paths.index("{dataset}"),
        record=paths.record(paths.index("{dataset}")),
    log:
        "logs/generate_videos/{dataset}.log",
    wildcard_constraints:
        dataset=dataset_of("generated"),
    params:
        recipe=lambda w: plan.videos(w.dataset).recipe_json,
        spec=lambda w: plan.videos(w.dataset).spec,
    threads: 1
    conda:
        "../../environment.yml"
    shell:
        "python scripts/generate_videos.py --recipe {params.recipe:q} --spec {params.spec}"
        " --out {output.index:q} > {log:q} 2>&1"


rule index_folder:
    output:
        index=paths.index("{dataset}"),
        skipped=paths.skipped("{dataset}"),
        record=paths.record(paths.index("{dataset}")),
    log:
        "logs/index_folder/{dataset}.log",
    wildcard_constraints:
        dataset=dataset_of("folder"),
    params:
        recipe=lambda w: plan.videos(w.dataset).recipe_json,
        spec=lambda w: plan.videos(w.dataset).spec,
        folder=lambda w: DATASETS[w.dataset].source.folder,
        list=lambda w: (["--list", f] if (f := DATASETS[w.dataset].source.list) else []),
    threads: 1
    conda:
        "../../environment.yml"
    shell:
        "python scripts/index_folder.py --recipe {params.recipe:q} --spec {params.spec}"
        " --folder {params.folder:q} {params.list:q} --skipped {output.skipped:q}"
        " --out {output.index:q} > {log:q} 2>&1"


rule extract_frames:
    input:
        index=paths.index("{dataset}"),
    output:
        shard="data/frames/{dataset}/{shard}.zip",
        record="data/frames/{dataset}/{shard}.record.json",
    log:
        "logs/extract_frames/{dataset}/{shard}.log",
    params:
        recipe=lambda w: plan.frames(w.dataset).recipe_json,
        spec=lambda w: plan.frames(w.dataset).spec,
        folder=lambda w: plan.folder(w.dataset),
    threads: 1
    conda:
        "../../environment.yml"
    shell:
        "python scripts/extract_frames.py --recipe {params.recipe:q} --spec {params.spec}"
        " --folder {params.folder:q} --index {input.index:q} --shard {wildcards.shard}"
        " --out {output.shard:q} > {log:q} 2>&1"

# Training and scoring of the networks. One trainer serves all runs: a run has tasks, most have one.


rule pretrain:
    input:
        stale=remade_if_stale("pretrain"),
        index=named("pretrain", "index"),
        frames=named("pretrain", "frames"),
    output:
        model=paths.PRETRAINED,
        curve=paths.sidecar_csv(paths.PRETRAINED),
        record=paths.record(paths.PRETRAINED),
    log:
        "logs/pretrain/{dataset}.log",
    conda:
        "../../environment.yml"
    threads: plan.config.gpus * (1 + plan.config.workers)
    resources:
        mem_mb=needs("pretrain", "mem_mb"),
        runtime=needs("pretrain", "runtime"),
        gpu=needs("pretrain", "gpu"),
    params:
        spec=spec_file("pretrain"),
        device=lambda w: plan.config.device,
        launch=lambda w: plan.networks.launcher(),
        workers=lambda w: plan.config.workers,
        stage=lambda w: ["--stage"] * plan.config.stage,
    shell:
        "{params.launch} scripts/pretrain.py --spec {params.spec:q}"
        " --index {input.index:q} --frames {input.frames:q}"
        " --device {params.device} --workers {params.workers} {params.stage} --curve {output.curve:q}"
        " --out {output.model:q} > {log:q} 2>&1"


rule import_weights:
    input:
        stale=remade_if_stale("import_weights"),
    output:
        model=paths.IMPORTED,
        record=paths.record(paths.IMPORTED),
    log:
        "logs/import_weights/{weights}.log",
    wildcard_constraints:
        weights=one_of(plan.networks.weights_names()),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("import_weights", "mem_mb"),
        runtime=needs("import_weights", "runtime"),
        gpu=needs("import_weights", "gpu"),
    params:
        spec=spec_file("import_weights"),
        options=lambda w: plan.networks.weights_options(),
    shell:
        "python scripts/import_weights.py --spec {params.spec:q}"
        " {params.options:q}"
        " --out {output.model:q} > {log:q} 2>&1"


rule train_stream:
    input:
        stale=remade_if_stale("train_stream"),
        initial=named("train_stream", "initial"),
        held_out=named("train_stream", "held_out"),
        index=named("train_stream", "index"),
        frames=named("train_stream", "frames"),
        flow=named("train_stream", "flow"),
        backward_flow=named("train_stream", "backward_flow"),
    output:
        model=paths.MODEL,
        curve=paths.sidecar_csv(paths.MODEL),
        record=paths.record(paths.MODEL),
    log:
        "logs/train_stream/{folder}/{run}/{dataset}-split{split}-seed{seed}.log",
    wildcard_constraints:
        folder=paths.WILDCARDS["folder"],
    conda:
        "../../environment.yml"
    threads: plan.config.gpus * (1 + plan.config.workers)
    resources:
        mem_mb=needs("train_stream", "mem_mb"),
        runtime=needs("train_stream", "runtime"),
        gpu=needs("train_stream", "gpu"),
    params:
        spec=spec_file("train_stream"),
        device=lambda w: plan.config.device,
        launch=lambda w: plan.networks.launcher(),
        workers=lambda w: plan.config.workers,
        stage=lambda w: ["--stage"] * plan.config.stage,
        data=options("initial", "held_out", "index", "frames", "flow", "backward_flow"),
    shell:
        "{params.launch} scripts/train_stream.py --spec {params.spec:q}"
        " --device {params.device} --workers {params.workers} {params.stage} {params.data:q} --curve {output.curve:q}"
        " --out {output.model:q} > {log:q} 2>&1"


rule score_videos:
    input:
        stale=remade_if_stale("score_videos"),
        model=paths.MODEL,
        index=named("score_videos", "index"),
        frames=named("score_videos", "frames"),
        flow=named("score_videos", "flow"),
        backward_flow=named("score_videos", "backward_flow"),
    output:
        scores=paths.SCORES,
        record=paths.record(paths.SCORES),
    log:
        "logs/score_videos/{folder}/{run}/{dataset}-split{split}-seed{seed}.log",
    wildcard_constraints:
        folder=paths.WILDCARDS["folder"],
        split=r"[1-9]\d*",
    conda:
        "../../environment.yml"
    threads: 1 + plan.config.workers
    resources:
        mem_mb=needs("score_videos", "mem_mb"),
        runtime=needs("score_videos", "runtime"),
        gpu=needs("score_videos", "gpu"),
    params:
        spec=spec_file("score_videos"),
        device=lambda w: plan.config.device,
        workers=lambda w: plan.config.workers,
        data=options("index", "frames", "flow", "backward_flow"),
    shell:
        "python scripts/score_videos.py --spec {params.spec:q}"
        " --device {params.device} --workers {params.workers} --model {input.model:q} {params.data:q}"
        " --out {output.scores:q} > {log:q} 2>&1"


rule score_trial:
    input:
        stale=remade_if_stale("score_trial"),
        model=paths.MODEL,
        index=named("score_trial", "index"),
        frames=named("score_trial", "frames"),
        flow=named("score_trial", "flow"),
        backward_flow=named("score_trial", "backward_flow"),
        spatial=named("score_trial", "spatial"),
    output:
        outcomes=paths.TRIAL,
        record=paths.record(paths.TRIAL),
    log:
        "logs/score_trial/{trial}/{folder}/{run}/{dataset}-split{split}-seed{seed}.log",
    wildcard_constraints:
        folder=paths.WILDCARDS["folder"],
        split=r"[1-9]\d*",
    conda:
        "../../environment.yml"
    threads: 1 + plan.config.workers
    resources:
        mem_mb=needs("score_trial", "mem_mb"),
        runtime=needs("score_trial", "runtime"),
        gpu=needs("score_trial", "gpu"),
    params:
        spec=spec_file("score_trial"),
        device=lambda w: plan.config.device,
        workers=lambda w: plan.config.workers,
        data=options("index", "frames", "flow", "backward_flow", "spatial"),
    shell:
        "python scripts/score_trial.py --spec {params.spec:q}"
        " --device {params.device} --workers {params.workers} --model {input.model:q} {params.data:q}"
        " --out {output.outcomes:q} > {log:q} 2>&1"

# Figures of the paper, and the training curves.


rule plot_flow:
    input:
        stale=remade_if_stale("plot_flow"),
        index=named("plot_flow", "index"),
        frames=named("plot_flow", "frames"),
        flow=named("plot_flow", "flow"),
    output:
        figure=report(
            paths.FIGURE_FLOW,
            caption="../report/flow.rst",
            category="Figures",
            labels={"figure": "Figure 2: frames and flow"},
        ),
        record=paths.record(paths.FIGURE_FLOW),
    log:
        "logs/plot_flow.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("plot_flow", "mem_mb"),
        runtime=needs("plot_flow", "runtime"),
        gpu=needs("plot_flow", "gpu"),
    params:
        spec=spec_file("plot_flow"),
    shell:
        "python scripts/plot_flow.py --spec {params.spec:q}"
        " --index {input.index:q} --frames {input.frames:q} --flow {input.flow:q}"
        " --out {output.figure:q} > {log:q} 2>&1"


rule plot_filters:
    input:
        stale=remade_if_stale("plot_filters"),
        model=named("plot_filters", "model"),
    output:
        figure=report(
            paths.FIGURE_FILTERS,
            caption="../report/filters.rst",
            category="Figures",
            labels={"figure": "Figure 4: first-layer filters"},
        ),
        record=paths.record(paths.FIGURE_FILTERS),
    log:
        "logs/plot_filters.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("plot_filters", "mem_mb"),
        runtime=needs("plot_filters", "runtime"),
        gpu=needs("plot_filters", "gpu"),
    params:
        spec=spec_file("plot_filters"),
    shell:
        "python scripts/plot_filters.py --spec {params.spec:q}"
        " --model {input.model:q}"
        " --out {output.figure:q} > {log:q} 2>&1"


rule plot_confusion:
    input:
        stale=remade_if_stale("plot_confusion"),
        scores=named("plot_confusion", "scores"),
    output:
        figure=report(
            paths.FIGURE_CONFUSION,
            caption="../report/confusion.rst",
            category="Figures",
            labels={"figure": "Figure 5: confusion matrix"},
        ),
        values=paths.sidecar_csv(paths.FIGURE_CONFUSION),
        record=paths.record(paths.FIGURE_CONFUSION),
    log:
        "logs/plot_confusion.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("plot_confusion", "mem_mb"),
        runtime=needs("plot_confusion", "runtime"),
        gpu=needs("plot_confusion", "gpu"),
    params:
        spec=spec_file("plot_confusion"),
    shell:
        "python scripts/plot_confusion.py --spec {params.spec:q}"
        " --scores {input.scores:q}"
        " --out {output.figure:q} > {log:q} 2>&1"


rule plot_recall:
    input:
        stale=remade_if_stale("plot_recall"),
        fused=named("plot_recall", "fused"),
        spatial=named("plot_recall", "spatial"),
        temporal=named("plot_recall", "temporal"),
    output:
        figure=report(
            paths.FIGURE_RECALL,
            caption="../report/recall.rst",
            category="Figures",
            labels={"figure": "Figure 6: recall by class"},
        ),
        values=paths.sidecar_csv(paths.FIGURE_RECALL),
        record=paths.record(paths.FIGURE_RECALL),
    log:
        "logs/plot_recall.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("plot_recall", "mem_mb"),
        runtime=needs("plot_recall", "runtime"),
        gpu=needs("plot_recall", "gpu"),
    params:
        spec=spec_file("plot_recall"),
    shell:
        "python scripts/plot_recall.py --spec {params.spec:q}"
        " --fused {input.fused:q} --spatial {input.spatial:q} --temporal {input.temporal:q}"
        " --out {output.figure:q} > {log:q} 2>&1"


rule plot_fusion_weight:
    input:
        stale=remade_if_stale("plot_fusion_weight"),
        scores=named("plot_fusion_weight", "scores"),
    output:
        figure=report(
            paths.FIGURE_FUSION_WEIGHT,
            caption="../report/fusion_weight.rst",
            category="Figures",
            labels={"figure": "Weights of the two streams"},
        ),
        values=paths.sidecar_csv(paths.FIGURE_FUSION_WEIGHT),
        record=paths.record(paths.FIGURE_FUSION_WEIGHT),
    log:
        "logs/plot_fusion_weight.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("plot_fusion_weight", "mem_mb"),
        runtime=needs("plot_fusion_weight", "runtime"),
        gpu=needs("plot_fusion_weight", "gpu"),
    params:
        spec=spec_file("plot_fusion_weight"),
    shell:
        "python scripts/plot_fusion_weight.py --spec {params.spec:q}"
        " --scores {input.scores:q}"
        " --out {output.figure:q} > {log:q} 2>&1"


rule plot_curves:
    input:
        stale=remade_if_stale("plot_curves"),
        models=named("plot_curves", "models"),
    output:
        figure=report(
            paths.FIGURE_CURVES,
            caption="../report/curves.rst",
            category="Figures",
            labels={"figure": "Training curves"},
        ),
        values=paths.sidecar_csv(paths.FIGURE_CURVES),
        record=paths.record(paths.FIGURE_CURVES),
    log:
        "logs/plot_curves.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("plot_curves", "mem_mb"),
        runtime=needs("plot_curves", "runtime"),
        gpu=needs("plot_curves", "gpu"),
    params:
        spec=spec_file("plot_curves"),
        curves=lambda w, input: [paths.sidecar_csv(model) for model in input.models],
    shell:
        "python scripts/plot_curves.py --spec {params.spec:q}"
        " --curves {params.curves:q}"
        " --out {output.figure:q} > {log:q} 2>&1"

# Figures of the paper, and the training curves.


rule plot_flow:
    input:
        spec=spec_file("plot_flow"),
        records=records("plot_flow"),
        data=ancient(lambda w: plan.step("plot_flow", w).inputs),
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
        recipe=lambda w: plan.step("plot_flow", w).recipe_json,
    shell:
        "python scripts/plot_flow.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --out {output.figure:q} > {log:q} 2>&1"


rule plot_filters:
    input:
        spec=spec_file("plot_filters"),
        records=records("plot_filters"),
        model=ancient(lambda w: plan.step("plot_filters", w).inputs),
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
        recipe=lambda w: plan.step("plot_filters", w).recipe_json,
    shell:
        "python scripts/plot_filters.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --model {input.model:q}"
        " --out {output.figure:q} > {log:q} 2>&1"


rule plot_confusion:
    input:
        spec=spec_file("plot_confusion"),
        records=records("plot_confusion"),
        scores=ancient(lambda w: plan.step("plot_confusion", w).inputs),
    output:
        figure=report(
            paths.FIGURE_CONFUSION,
            caption="../report/confusion.rst",
            category="Figures",
            labels={"figure": "Figure 5: confusion matrix"},
        ),
        values=paths.curve(paths.FIGURE_CONFUSION),
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
        recipe=lambda w: plan.step("plot_confusion", w).recipe_json,
    shell:
        "python scripts/plot_confusion.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --scores {input.scores:q}"
        " --out {output.figure:q} > {log:q} 2>&1"


rule plot_recall:
    input:
        spec=spec_file("plot_recall"),
        records=records("plot_recall"),
        fused=ancient(lambda w: plan.step("plot_recall", w).inputs[0]),
        spatial=ancient(lambda w: plan.step("plot_recall", w).inputs[1]),
        temporal=ancient(lambda w: plan.step("plot_recall", w).inputs[2]),
    output:
        figure=report(
            paths.FIGURE_RECALL,
            caption="../report/recall.rst",
            category="Figures",
            labels={"figure": "Figure 6: recall by class"},
        ),
        values=paths.curve(paths.FIGURE_RECALL),
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
        recipe=lambda w: plan.step("plot_recall", w).recipe_json,
    shell:
        "python scripts/plot_recall.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --fused {input.fused:q} --spatial {input.spatial:q} --temporal {input.temporal:q}"
        " --out {output.figure:q} > {log:q} 2>&1"


rule plot_curves:
    input:
        spec=spec_file("plot_curves"),
        records=records("plot_curves"),
        models=ancient(lambda w: plan.step("plot_curves", w).inputs),
    output:
        figure=report(
            paths.FIGURE_CURVES,
            caption="../report/curves.rst",
            category="Figures",
            labels={"figure": "Training curves"},
        ),
        values=paths.curve(paths.FIGURE_CURVES),
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
        recipe=lambda w: plan.step("plot_curves", w).recipe_json,
        curves=lambda w, input: [paths.curve(model) for model in input.models],
    shell:
        "python scripts/plot_curves.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --curves {params.curves:q}"
        " --out {output.figure:q} > {log:q} 2>&1"

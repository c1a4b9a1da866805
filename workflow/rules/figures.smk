# Figures of the paper, and the training curves.


rule plot_flow:
    input:
        spec=spec_file("plot_flow"),
        records=records("plot_flow"),
        index=ancient(named("plot_flow", "index")),
        frames=ancient(named("plot_flow", "frames")),
        flow=ancient(named("plot_flow", "flow")),
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
    params:
        recipe=lambda w: plan.step("plot_flow", w).recipe_json,
    shell:
        "python scripts/plot_flow.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --index {input.index:q} --frames {input.frames:q} --flow {input.flow:q}"
        " --out {output.figure:q} > {log:q} 2>&1"


rule plot_filters:
    input:
        spec=spec_file("plot_filters"),
        records=records("plot_filters"),
        model=ancient(named("plot_filters", "model")),
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
        scores=ancient(named("plot_confusion", "scores")),
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
        fused=ancient(named("plot_recall", "fused")),
        spatial=ancient(named("plot_recall", "spatial")),
        temporal=ancient(named("plot_recall", "temporal")),
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
        models=ancient(named("plot_curves", "models")),
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
    params:
        recipe=lambda w: plan.step("plot_curves", w).recipe_json,
        curves=lambda w, input: [paths.curve(model) for model in input.models],
    shell:
        "python scripts/plot_curves.py --recipe {params.recipe:q} --spec {input.spec:q}"
        " --curves {params.curves:q}"
        " --out {output.figure:q} > {log:q} 2>&1"

# Pages of the report, from what lies in results/ and the records of it.
PAGES = plan.pages()
CATEGORIES = {
    "claims": "Claims",
    "methods": "Other methods",
    **{name: trial.category for name, trial in TRIALS.items()},
}


rule write_page:
    input:
        stale=remade_if_stale("write_page"),
        table="results/{page}.csv",
    output:
        page=report(
            paths.PAGE,
            caption="../report/page.rst",
            category=lambda w: CATEGORIES.get(w.page, "Tables"),
            labels=lambda w: {"page": PAGES[w.page]},
        ),
        record=paths.record(paths.PAGE),
    log:
        "logs/write_page/{page}.log",
    wildcard_constraints:
        page=one_of(PAGES),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("write_page", "mem_mb"),
        runtime=needs("write_page", "runtime"),
    params:
        spec=spec_file("write_page"),
    shell:
        "python scripts/write_page.py --spec {params.spec:q}"
        " --table {input.table:q} --out {output.page:q} > {log:q} 2>&1"


# Not of the report: to be looked at before anything is trained.
rule describe_dataset:
    input:
        stale=remade_if_stale("describe_dataset"),
        index=paths.INDEX,
    output:
        page=paths.DESCRIPTION,
        record=paths.record(paths.DESCRIPTION),
    log:
        "logs/describe_dataset/{dataset}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("describe_dataset", "mem_mb"),
        runtime=needs("describe_dataset", "runtime"),
    params:
        spec=spec_file("describe_dataset"),
        folder=lambda w: plan.videos.dataset(w.dataset).folder,
        skipped=lambda w: plan.videos.dataset(w.dataset).skipped_options(),
    shell:
        "python scripts/describe_dataset.py --spec {params.spec:q}"
        " --index {input.index:q} --folder {params.folder:q} {params.skipped:q}"
        " --out {output.page:q} > {log:q} 2>&1"


rule report_pages:
    input:
        [paths.PAGE.format(page=page) for page in plan.pages_shown()],
        [output for step in plan.figures() for output in step.outputs],


# The page to look at. Those above are its provenance: `make report` has Snakemake bind them into a file of
# its own.
rule write_report:
    input:
        stale=remade_if_stale("write_report"),
        results=named("write_report", "results"),
        confusion=named("write_report", "confusion"),
        recall=named("write_report", "recall"),
        fusion_weight=named("write_report", "fusion_weight"),
        curves=named("write_report", "curves"),
        flow_figure=named("write_report", "flow_figure"),
        filters=named("write_report", "filters"),
        index=named("write_report", "index"),
        frames=named("write_report", "frames"),
        flow=named("write_report", "flow"),
        spatial=named("write_report", "spatial"),
        temporal=named("write_report", "temporal"),
        fused=named("write_report", "fused"),
    output:
        page=paths.REPORT,
        record=paths.record(paths.REPORT),
    log:
        "logs/write_report.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs("write_report", "mem_mb"),
        runtime=needs("write_report", "runtime"),
    params:
        spec=spec_file("write_report"),
        confusion=paths.sidecar_csv(paths.FIGURE_CONFUSION),
        recall=paths.sidecar_csv(paths.FIGURE_RECALL),
        fusion_weight=paths.sidecar_csv(paths.FIGURE_FUSION_WEIGHT),
        curves=paths.sidecar_csv(paths.FIGURE_CURVES),
    shell:
        "python scripts/write_report.py --spec {params.spec:q}"
        " --results {input.results:q} --confusion {params.confusion:q} --recall {params.recall:q}"
        " --fusion-weight {params.fusion_weight:q} --curves {params.curves:q}"
        " --flow-figure {input.flow_figure:q} --filters {input.filters:q}"
        " --index {input.index:q} --frames {input.frames:q} --flow {input.flow:q}"
        " --spatial {input.spatial:q} --temporal {input.temporal:q} --fused {input.fused:q}"
        " --out {output.page:q} > {log:q} 2>&1"

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
        recipe=lambda w: plan.step("write_page", w).recipe_json,
        spec=spec_file("write_page"),
    shell:
        "python scripts/write_page.py --recipe {params.recipe:q} --spec {params.spec:q}"
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
        recipe=lambda w: plan.step("describe_dataset", w).recipe_json,
        spec=spec_file("describe_dataset"),
        folder=lambda w: plan.videos.dataset(w.dataset).folder,
        skipped=lambda w: plan.videos.dataset(w.dataset).skipped_options(),
    shell:
        "python scripts/describe_dataset.py --recipe {params.recipe:q} --spec {params.spec:q}"
        " --index {input.index:q} --folder {params.folder:q} {params.skipped:q}"
        " --out {output.page:q} > {log:q} 2>&1"


rule report_pages:
    input:
        [paths.PAGE.format(page=page) for page in PAGES if in_report(page)],
        [output for step in plan.figures() for output in step.outputs],

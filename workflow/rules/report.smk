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


rule report_pages:
    input:
        [paths.PAGE.format(page=page) for page in PAGES if in_report(page)],
        [output for step in plan.figures() for output in step.outputs],

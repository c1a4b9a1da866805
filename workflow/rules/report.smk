# Pages of the report, from what lies in results/ and the records of it.
PAGES = {name: settings.title for name, settings in plan.benchmark.tables.items()}
PAGES |= {
    "claims": "Claims of the paper",
    "methods": "Other methods beside ours",
}
CATEGORIES = {
    "claims": "Claims",
    "methods": "Other methods",
}


def kind_of(page):
    return page if page in CATEGORIES else "table"


def results_pages():
    return [Path(file).stem for step in plan.results() for file in step.outputs]


rule write_page:
    input:
        table="results/{page}.csv",
        record=paths.record("results/{page}.csv"),
    output:
        page=report(
            "report/{page}.html",
            caption="../report/page.rst",
            category=lambda w: CATEGORIES.get(w.page, "Tables"),
            labels=lambda w: {"page": PAGES[w.page]},
        ),
    log:
        "logs/write_page/{page}.log",
    wildcard_constraints:
        page=one_of(PAGES),
    conda:
        "../../environment.yml"
    threads: 1
    params:
        kind=lambda w: kind_of(w.page),
        title=lambda w: PAGES[w.page],
        note=lambda w: Path(f"workflow/report/{kind_of(w.page)}.txt").read_text(),
    shell:
        "python scripts/write_page.py --table {input.table:q} --kind {params.kind}"
        " --title {params.title:q} --note {params.note:q} --out {output.page:q} > {log:q} 2>&1"


rule report_pages:
    input:
        lambda w: expand("report/{page}.html", page=results_pages()),
        [output for step in plan.figures() for output in step.outputs],

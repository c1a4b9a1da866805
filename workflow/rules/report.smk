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
KINDS = {page: page if page in CATEGORIES else "table" for page in PAGES}


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
    resources:
        mem_mb=PLAIN,
        runtime=10,
    params:
        kind=lambda w: KINDS[w.page],
        title=lambda w: PAGES[w.page],
        note=lambda w: Path(f"workflow/report/{KINDS[w.page]}.txt").read_text(),
    shell:
        "python scripts/write_page.py --table {input.table:q} --kind {params.kind}"
        " --title {params.title:q} --note {params.note:q} --out {output.page:q} > {log:q} 2>&1"


rule report_pages:
    input:
        [
            f"report/{Path(file).stem}.html"
            for step in plan.results()
            for file in step.outputs
        ],
        [output for step in plan.figures() for output in step.outputs],

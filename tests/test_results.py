"""From scores to what people look at: other methods, several seeds, figures and the report."""

import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT, call, planned, run, said, snakemake

from twostream.scores.score_file import read_scores


@pytest.fixture(scope="module")
def project(built, tmp_path_factory) -> Path:
    """The tiny project with its tables."""
    return shutil.copytree(built, tmp_path_factory.mktemp("results") / "project")


def edit(folder: Path, **changes: object) -> None:
    file = folder / "config/benchmark.yaml"
    content = yaml.safe_load(file.read_text()) | changes
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def drop_in(folder: Path, right: int) -> None:
    """A file with scores of a method that gets so many test videos right."""
    index = pd.read_csv(folder / "data/videos/demo_a.csv")
    test = index[index["split1"] == "test"].reset_index(drop=True)
    classes = sorted(index["class"].unique())
    labels = np.array([classes.index(name) for name in test["class"]])
    said_class = np.where(np.arange(len(test)) < right, labels, (labels + 1) % len(classes))
    file = folder / "methods/other/demo_a-split1.npz"
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        file, videos=test["file"].to_numpy(str), scores=np.eye(len(classes))[said_class], classes=classes
    )


def test_a_method_is_dropped_in_named_and_compared_without_a_training(project):
    drop_in(project, right=2)
    edit(project, methods={"other": {"title": "Another", "dataset": "demo_a", "splits": [1]}})
    assert planned(project) == Counter(import_scores=1, compare_methods=1)
    run(project, "results/methods.csv")
    table = pd.read_csv(project / "results/methods.csv", index_col="system")
    videos = table["test_videos"].iloc[0]
    assert table["accuracy"]["other"] == pytest.approx(200 / videos, abs=0.01)
    ours = read_scores(project / "scores/fused/multitask-svm/demo_a-split1-seed0.npz").part("test")
    assert table["accuracy"]["multitask-svm"] == pytest.approx(ours.accuracy(), abs=0.01)
    assert "other + spatial-last-d05" in table.index and "other + flow-10-multitask" in table.index

    drop_in(project, right=3)
    assert planned(project) == Counter(import_scores=1, compare_methods=1)

    fusions = yaml.safe_load((project / "config/benchmark.yaml").read_text())["fusions"]
    mine = {"spatial": "other", "temporal": "flow-10-multitask", "method": "average"}
    edit(project, fusions=fusions | {"mine": mine})
    run(project, "scores/fused/mine/demo_a-split1-seed0.npz")
    edit(project, fusions=fusions)
    assert set(read_scores(project / "scores/fused/mine/demo_a-split1-seed0.npz").parts) == {"test"}


@pytest.mark.parametrize(
    ("name", "dataset", "split", "message"),
    [
        ("lost", "demo_a", 1, "methods/lost/demo_a-split1.npz: is missing"),
        ("odd", "ucf", 1, "methods.odd.dataset: no scale has a dataset 'ucf'"),
        ("flow-10", "demo_a", 1, "methods.flow-10: a run or fusion has this name too"),
        ("far", "demo_a", 4, "demo_a has 3 splits, and no split 4"),
    ],
)
def test_a_method_that_cannot_be_is_refused_before_any_job(project, name, dataset, split, message):
    before = yaml.safe_load((project / "config/benchmark.yaml").read_text())["methods"]
    edit(project, methods={name: {"title": "T", "dataset": dataset, "splits": [split]}})
    refused = snakemake(project, "-n")
    edit(project, methods=before)
    assert refused.returncode != 0 and message in refused.stdout
    assert "Traceback" not in refused.stdout


def test_a_method_for_a_dataset_of_another_scale_waits_for_that(project):
    before = yaml.safe_load((project / "config/benchmark.yaml").read_text())["methods"]
    edit(project, methods={"far": {"title": "F", "dataset": "ucf101", "splits": [1]}})
    assert "compare_methods" not in planned(project)
    edit(project, methods=before)


def test_more_seeds_train_and_score_what_is_new_and_redo_tables_and_claims(project):
    edit(project, methods={})
    run(project)
    again = planned(project, "--forceall")
    more = planned(project, "--config", "seeds=3")
    tables = {"make_table": again["make_table"], "check_claims": 1}
    twice = {rule: 2 * again[rule] for rule in ("train_stream", "score_videos", "fuse_streams")}
    assert more == Counter(twice | tables)


class Addresses(HTMLParser):
    """Collects what a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "link", "img", "iframe"}:
            self.found += [value for key, value in attrs if key in {"src", "href"} and value]


def test_the_report_and_its_provenance_are_a_file_each(project):
    edit(project, methods={})
    lines = re.findall(r"snakemake (.*)$", said(ROOT, "make", "-n", "-W", "/dev/null", "report"), flags=re.M)
    assert len(lines) == 2
    for line in lines:
        said(project, "bash", "-c", f"snakemake {line}")
    assert planned(project, "--", "write_report") == {}
    looked_at = (project / "report/report.html").read_text()
    for name in ("Table 2", "Table 3", "1. Added classes beat fine-tuning", "multitask-svm", "g03_c01.avi"):
        assert name in looked_at
    report = (project / "report/provenance.html").read_text()
    addresses = Addresses()
    addresses.feed(report)
    assert not [address for address in addresses.found if not address.startswith(("data:", "#"))]
    for name in ("table2.html", "claims.html", "flow.png", "filters.png", "confusion.png", "recall.png"):
        assert name in report
    page = (project / "report/table3.html").read_text()
    record = (project / "scores/fused/multitask-svm/demo_a-split1-seed0.record.json").read_text()
    assert "Table 3: two-stream ConvNet" in page and "multitask-svm/demo_a-split1-seed0.npz" in page
    assert re.search(r'"spec": "(\w+)"', record)[1] in page
    assert "&quot;dropout&quot;: 0.9" in page and "&quot;torch&quot;" in page


def test_claims_and_tables_are_printed(project):
    run(project)
    shown = call(project, "python", "scripts/print_tables.py").stdout
    assert "Table 2:" in shown and "1. Added classes beat fine-tuning" in shown
    assert max(map(len, shown.splitlines())) <= 120
    # Three iterations teach nothing.
    assert "In training, the loss was never better than by guessing: models/" in shown
    (project / "results/table2.csv").unlink()
    shown = call(project, "python", "scripts/print_tables.py").stdout
    assert "Table 2:" not in shown and "Not made yet: results/table2.csv." in shown

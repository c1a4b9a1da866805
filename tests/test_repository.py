"""What carries it on: one version, CI that calls what there is, one list of checks, one container."""

import os
import re
import tomllib

import yaml
from conftest import ROOT

GITHUB = ROOT / ".github"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CI = yaml.safe_load((GITHUB / "workflows/ci.yml").read_text())
# Each of the container's recipes in one line, continued lines joined.
DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
APPTAINER = re.sub(r"\\\n\s*", "", (ROOT / "apptainer.def").read_text())


def recipe(target: str) -> list[str]:
    """The commands of a target of the Makefile."""
    (lines,) = re.findall(rf"^{target}: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return [line.strip() for line in lines.splitlines()]


MAIN = ["lint", "reproduce", "test"]


def test_the_version_is_one():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    heading = re.search(r"^## (\S+) \((.+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heading and heading[1] == PROJECT["version"]
    # Released is what has a date, in both.
    assert str(citation.get("date-released", "unreleased")) == heading[2]


def test_ci_calls_what_there_is_on_each_supported_python():
    commands = [step["run"] for job in CI["jobs"].values() for step in job["steps"] if "run" in step]
    called = {command.split()[0] for command in commands if command.startswith(".ci/")}
    assert called == {".ci/run", ".ci/emulated", ".ci/slurm"}
    assert all(os.access(ROOT / script, os.X_OK) for script in called)
    # What takes long has jobs of its own beside the main one.
    assert re.findall(r"^make (\w+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE) == MAIN
    pythons = CI["jobs"]["run"]["strategy"]["matrix"]["python"]
    assert pythons == ["3.11", "3.12", "3.13"]
    assert PROJECT["requires-python"] == ">=3.11,<3.14"
    assert "PYTHON" in CI["jobs"]["run"]["env"] and "PYTHON ?=" in (ROOT / "Makefile").read_text()
    assert all(0 < job["timeout-minutes"] <= 120 for job in CI["jobs"].values())


def test_issues_ask_for_what_doctor_prints():
    forms = {file.stem: file.read_text() for file in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml")}
    assert forms.keys() == {"bug_report", "results_differ", "question", "config"}
    for name in forms.keys() - {"config"}:
        form = yaml.safe_load(forms[name])
        assert {"name", "description", "body"} <= form.keys()
        assert "`make doctor`" in forms[name]


def test_what_is_checked_before_a_commit_is_what_lint_checks():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = {hook["entry"].replace(".venv/bin", "$(BIN)") for hook in repository["hooks"]}
    # Reading the whole workflow is left to `make lint`.
    assert hooks == {command for command in recipe("lint") if "snakemake" not in command}
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in repository["hooks"])


def test_the_snakemake_catalogue_finds_what_it_asks_for():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment", "report"}
    for file in ("workflow/Snakefile", "config/README.md", "LICENSE"):
        assert (ROOT / file).is_file()
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme


def test_both_containers_are_one_environment():
    for pattern in (
        r"debian:\S+",
        r"apt-get install .*?(?= &&|$)",
        r"PIP_NO_CACHE_DIR=1 make .*",
        r"/opt/twostream/.venv/bin:\$PATH",
    ):
        (docker,), (apptainer,) = (re.findall(pattern, r, re.MULTILINE) for r in (DOCKERFILE, APPTAINER))
        assert " ".join(docker.split()) == " ".join(apptainer.split())


def test_the_container_is_given_what_it_copies():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = set(re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE))
    assert copied == {line[1:] for line in ignored if line.startswith("!")} and "*" in ignored
    assert set(re.findall(r"^    (\S+) /opt/twostream/\1$", APPTAINER, re.MULTILINE)) == copied
    assert all((ROOT / file).exists() for file in copied)

"""What a report of a problem holds: a whole environment, one without packages, and what is stale."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, commit, copy_project, said

from twostream.doctor import packages, report
from twostream.doctor.artefacts import by_reason
from twostream.doctor.project import version
from twostream.files import UserError

INDEX = "data/videos/demo_a.csv"


@pytest.fixture
def project(tmp_path) -> Path:
    folder = copy_project(tmp_path / "project")
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    return folder


def doctor(folder: Path, *options: str, home: str = "/nowhere") -> dict[str, list[str]]:
    """The lines of each section."""
    text = said(folder, sys.executable, "-B", *options, "scripts/doctor.py", HOME=home)
    blocks = [block.splitlines() for block in text.strip().split("\n\n")]
    return {title: [line.removeprefix("  ") for line in lines] for title, *lines in blocks}


def files(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*")}


def test_each_section_tells_what_it_is_about_and_nothing_is_written(project):
    said(project, "git", "init", "-q")
    commit(project, "code")
    (project / "config/config.yaml").write_text((project / "config/config.yaml").read_text() + "\n")
    (project / "Mine.avi").touch()
    before = files(project)
    found = doctor(project, home=str(project.parent))
    assert files(project) == before
    assert list(found) == list(report.SECTIONS)
    assert not any("cannot be told" in line for lines in found.values() for line in lines)
    assert found["Project"][0] == f"version {version()}"
    assert found["Project"][2] == "changed: config/config.yaml; files that git does not know: 1"
    assert any(line.startswith("tables: ") and "as locked" in line for line in found["Python and packages"])
    assert {"disk of .", "disk of /dev/shm"} <= {line.split(":")[0] for line in found["Machine"]}
    assert found["Configuration"][0].startswith("scale demo, device cpu, arithmetic portable")
    assert found["Artefacts"][0].startswith("0 of ")
    assert str(project.parent) not in str(found)


def test_without_packages_the_sections_that_need_none_are_told(project):
    found = doctor(project, "-S")
    assert found["Project"][0] == f"version {version()}"
    assert "tables: not installed" in found["Python and packages"]
    assert any(line.startswith("memory: ") for line in found["Machine"])
    for section in ("GPU", "Configuration", "Artefacts"):
        assert found[section][-1].startswith("cannot be told: ModuleNotFoundError: No module named")


def test_an_error_in_the_configuration_is_told_in_its_place(project):
    (project / "config/config.yaml").write_text("scale: none\n")
    found = doctor(project)
    assert found["Configuration"][0].startswith("cannot be told: UserError: config/config.yaml")
    assert found["Machine"] and found["GPU"][-1] != found["Configuration"][0]


def test_what_is_stale_is_told_with_the_reason(project):
    index = project / INDEX
    index.parent.mkdir(parents=True)
    index.touch()
    print_plan = [sys.executable, "scripts/print_plan.py", "config"]
    plan = subprocess.run(print_plan, cwd=project, input=json.dumps([INDEX]), capture_output=True, text=True)
    recipe = json.loads(plan.stdout)[INDEX]["recipe"]
    key = next(key for key, value in recipe["source"].items() if isinstance(value, int))
    now = recipe["source"][key]
    recipe["source"][key] = now + 1
    own = {INDEX: {"sha256": "another", "size": 0}}
    record = {"form": 3, "spec": "another", "made_from": {}, "recipe": recipe, "files": own}
    index.with_suffix(".record.json").write_text(json.dumps(record))
    found = doctor(project)["Artefacts"]
    assert found[0].startswith("1 of ") and found[1].startswith("missing: ") and found[2] == "stale: 1"
    assert f"{INDEX}: source.{key} {now + 1} -> {now}" in found[3]


def test_what_is_only_downstream_is_counted_and_not_named():
    stale = [("a", ["x 1 -> 2"]), ("b", ["x 1 -> 2"]), ("c", ["made from what is stale a"])]
    assert list(by_reason(stale)) == ["a, b: x 1 -> 2"]


def test_packages_are_compared_with_the_lock(tmp_path, monkeypatch):
    lock = tmp_path / "tables.txt"
    lock.write_text(
        "a==1 \\\n    --hash=sha256:0\nb==2 \\\n    --hash=sha256:0\nc==3 \\\n    --hash=sha256:0\n"
        "d==4 ; sys_platform == 'none' \\\n    --hash=sha256:0\n"
    )
    wanted = packages.locked(lock)
    assert wanted == {"a": "1", "b": "2", "c": "3"}
    monkeypatch.setattr(packages, "_installed", {"a": "1+cpu", "b": "2.1"}.get)
    assert packages.compared(wanted) == "1 of 3 as locked; other: b 2.1 (locked: 2); missing: c"


def test_a_section_that_fails_midway_keeps_what_it_has_told(monkeypatch):
    def lines():
        yield "one"
        raise UserError("no more")

    monkeypatch.setattr(report, "import_module", lambda name: type("Section", (), {"lines": lines}))
    assert list(report.told("any")) == ["one", "cannot be told: UserError: no more"]

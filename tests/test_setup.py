"""Set-up: what is locked, and which Python make takes; nothing is installed."""

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from conftest import ROOT

from twostream.config.model_names import model_names
from twostream.files import UserError
from twostream.provenance import environment
from twostream.provenance.environment import told_of_other_versions

LOCKS = {file.stem: file.read_text() for file in (ROOT / "requirements").glob("*.txt")}
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
# Stands for a Python of any version, which makes a .venv whose Python only writes down what it is to do.
STUB = """#!{real}
import sys
from pathlib import Path
sys.version_info = {version}
if not {venv}:
    sys.modules["ensurepip"] = None
if sys.argv[1] == "-c":
    exec(sys.argv[2])
else:
    folder = Path(sys.argv[3])
    (folder / "bin").mkdir(parents=True)
    (folder / "by").write_text(sys.argv[0])
    (folder / "bin/python").symlink_to(Path(sys.argv[0]).with_name("installed"))
"""
INSTALLER = """#!{real}
import sys
from pathlib import Path
said = " ".join(sys.argv[1:])
if "importlib.metadata" in said:
    sys.exit(Path(".venv/half-made").exists())
with open("calls", "a") as calls:
    calls.write(said.splitlines()[0] + "\\n")
sys.exit(Path("no network").exists())
"""


def locked(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w-]+)==([^\s;]+)", lock, re.MULTILINE))


def test_each_package_that_is_asked_for_is_locked_at_that_version():
    assert LOCKS.keys() == GROUPS.keys()
    for group, asked in GROUPS.items():
        found = locked(LOCKS["tables"]) | locked(LOCKS[group])
        for requirement in asked:
            if isinstance(requirement, str):
                name, _, version = re.sub(r"\[.*\]", "", requirement).partition("==")
                assert found[name.lower()] == version, requirement
            else:
                assert locked(LOCKS[requirement["include-group"]]).items() <= found.items()


def test_groups_agree():
    found = {package for lock in LOCKS.values() for package in locked(lock).items()}
    assert [name for name, count in Counter(name for name, _ in found).items() if count > 1] == []


@pytest.mark.parametrize("group", LOCKS)
def test_a_lock_holds_packages_with_their_hashes_and_no_address(group):
    package = r"[\w-]+==[\w.]+( ; [^\n\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n"
    assert re.fullmatch(rf"# [^\n]*\n({package})+", LOCKS[group])
    assert "://" not in LOCKS[group]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A copy of what sets up, with a PATH that holds no Python yet."""
    project, tools = tmp_path / "project", tmp_path / "bin"
    (project / "scripts").mkdir(parents=True)
    tools.mkdir()
    shutil.copytree(ROOT / "requirements", project / "requirements")
    shutil.copy(ROOT / "Makefile", project)
    shutil.copy(ROOT / "scripts/install_packages.sh", project / "scripts")
    for tool in ("make", "dirname", "rm", "touch"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    (tools / "installed").write_text(INSTALLER.format(real=sys.executable))
    (tools / "installed").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    # What was said to the make that called pytest is not said to this one.
    monkeypatch.delenv("MAKEFLAGS", raising=False)
    monkeypatch.delenv("PYTHON", raising=False)
    return project


def has(folder: Path, name: str, version: tuple[int, int], venv: bool = True) -> None:
    file = folder.parent / "bin" / name
    file.write_text(STUB.format(real=sys.executable, version=(*version, 0), venv=venv))
    file.chmod(0o755)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def made_by(folder: Path, *arguments: str) -> str:
    """The Python that make takes."""
    done = make(folder, ".venv", *arguments)
    assert done.returncode == 0, done.stdout
    return Path((folder / ".venv/by").read_text()).name


def installing(group: str) -> list[list[str]]:
    return [["pip.txt"], ["tables.txt", f"{group}.txt"], []]


def calls(folder: Path) -> list[list[str]]:
    """The locks that .venv's Python was called with so far, a call an entry."""
    text = (folder / "calls").read_text()
    (folder / "calls").unlink()
    return [re.findall(r"requirements/(\S+)", line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("here", "taken"),
    [
        ({"python3.13": (3, 13)}, "python3.13"),
        ({"python3.13": (3, 13), "python3.12": (3, 12), "python3": (3, 11)}, "python3.12"),
        ({"python3.11": (3, 10), "python3": (3, 14), "python": (3, 12)}, "python"),
    ],
)
def test_make_takes_whichever_supported_python_is_here(folder, here, taken):
    for name, version in here.items():
        has(folder, name, version)
    assert made_by(folder) == taken


def test_make_takes_the_python_that_it_is_given(folder):
    has(folder, "python3.11", (3, 11))
    has(folder, "another", (3, 13))
    assert made_by(folder, "PYTHON=another") == "another"


def test_make_takes_the_python_that_the_environment_names(folder, monkeypatch):
    has(folder, "python3.11", (3, 11))
    has(folder, "another", (3, 13))
    monkeypatch.setenv("PYTHON", "another")
    assert made_by(folder) == "another"


@pytest.mark.parametrize("target", ["tables", "test", "lint", "remotes", "bench", "lock"])
def test_without_a_python_make_says_what_to_install(folder, target):
    has(folder, "python3", (3, 10))
    done = make(folder, target)
    assert done.returncode != 0 and not (folder / ".venv").exists()
    assert "Python 3.11, 3.12 or 3.13 is needed" in done.stdout
    for way in ("apt-get install python3 python3-venv", "dnf ", "brew ", "uv python install", "conda create"):
        assert way in done.stdout
    assert "none of these is one: python3\n" in make(folder, target, "PYTHON=python3").stdout


def test_a_python_that_cannot_make_environments_is_taken_only_to_say_so(folder):
    has(folder, "python3.12", (3, 12), venv=False)
    done = make(folder, ".venv")
    assert done.returncode != 0 and "apt-get install python3.12-venv" in done.stdout
    has(folder, "python3.13", (3, 13))
    assert made_by(folder) == "python3.13"


def test_a_group_is_installed_once_and_again_when_its_lock_changes(folder):
    has(folder, "python3.12", (3, 12))
    made_by(folder)
    assert (folder / "calls").read_text().count("--no-deps --require-hashes") == 2
    assert calls(folder) == installing("tables")
    for _ in range(2):
        assert make(folder, "remotes").returncode == make(folder, ".venv").returncode == 0
    assert calls(folder) == installing("remotes")
    os.utime(folder / "requirements/remotes.txt", (time.time() + 9,) * 2)
    assert make(folder, "remotes").returncode == make(folder, ".venv").returncode == 0
    assert calls(folder) == installing("remotes")


def test_what_was_broken_off_is_made_anew(folder):
    has(folder, "python3.12", (3, 12))
    (folder / ".venv").mkdir()
    (folder / ".venv/half-made").touch()
    made_by(folder)
    assert not (folder / ".venv/half-made").exists()
    packages = folder / ".venv/lib/python3.12/site-packages"
    for file in ("whole-1.dist-info/RECORD", "half-1.dist-info/METADATA", "~orch/set_aside.py"):
        (packages / file).parent.mkdir(parents=True)
        (packages / file).touch()
    assert make(folder, "remotes").returncode == 0
    assert [file.name for file in packages.iterdir()] == ["whole-1.dist-info"]


def test_a_failed_install_loses_nothing_and_is_taken_up(folder):
    has(folder, "python3.12", (3, 12))
    made_by(folder)
    (folder / ".venv/installed").touch()
    (folder / "no network").touch()
    assert make(folder, "remotes").returncode != 0
    (folder / "no network").unlink()
    assert make(folder, "remotes").returncode == 0
    assert (folder / ".venv/installed").exists()


@pytest.fixture
def installed(tmp_path, monkeypatch) -> dict[str, str]:
    """What is installed, to be filled in; locked are numpy 2.4 and OpenCV 4.14."""
    found: dict[str, str] = {}

    def version(name: str) -> str:
        if name not in found:
            raise PackageNotFoundError(name)
        return found[name]

    lock = tmp_path / "lock.txt"
    lock.write_text(
        "numpy==2.4 \\\n    --hash=sha256:0\nopencv-contrib-python-headless==4.14 ; sys_platform == ''\n"
    )
    monkeypatch.setattr(environment, "version", version)
    monkeypatch.setattr(environment, "LOCKS", (lock, tmp_path / "none.txt"))
    return found


@pytest.mark.parametrize(
    "found",
    [
        {"numpy": "2.4"},
        {"numpy": "2.4+mkl", "opencv-python": "4.14"},
        {"opencv-contrib-python-headless": "4.14", "scipy": "1.0"},
    ],
)
def test_what_is_locked_or_the_same_in_another_build_is_not_told(installed, found):
    installed |= found
    assert told_of_other_versions() == ""


def test_other_versions_are_named_with_what_to_do(installed):
    installed |= {"numpy": "2.3", "opencv-python": "5.0"}
    assert re.fullmatch(
        r"warning: numpy 2\.3 is installed, and \S+/lock\.txt has 2\.4; opencv-python 5\.0 is installed, and"
        r" \S+ has 4\.14\. Results may differ by it;"
        r" `\S+ -m pip install --no-deps -r \S+/lock\.txt` installs what is locked",
        told_of_other_versions(),
    )


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_a_missing_library_of_networks_is_told_with_what_to_do(library, monkeypatch):
    monkeypatch.setattr("twostream.config.model_names.find_spec", lambda name: None)
    model_names.cache_clear()
    with pytest.raises(UserError, match=f"{library}, which is not installed: `make pretrained`"):
        model_names(library)

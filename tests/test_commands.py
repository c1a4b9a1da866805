"""The commands in the documents are those that there are: their targets, scripts, options and keys exist."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ROOT

from twostream.config.loading import load_config, read_yaml
from twostream.files import UserError
from twostream.plan.plan import Plan

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
CHECKED = ("make", "snakemake", "python", "dvc")
# Snakemake's options that take a value, and those that take several.
VALUED = {"--cores", "--profile", "--workflow-profile"}
LISTED = {"--config", "--until", "--quiet"}
# Examples: what a reader has, or names.
READERS = ("TARGET", "mine", "results/methods.csv")
RULES = set(re.findall(r"rule (\w+):", "".join(f.read_text() for f in (ROOT / "workflow").rglob("*.smk"))))
FOLDERS = {"all", "figures", "tables", "videos", "extraction", "spatial", "temporal", "fusion"}


def commands(document: Path) -> Iterator[str]:
    """Yield the commands of a document: lines of its blocks, and what stands in backticks and begins so."""
    text = document.read_text()
    for block in re.findall(r"^ *```(?:bash)?\n(.*?)^ *```$", text, flags=re.M | re.S):
        for line in block.splitlines():
            if re.match(rf" *(?:{'|'.join(CHECKED)}) ", line):
                yield from re.split(r" && | \| ", line.strip())
    outside = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)
    for line in re.findall(r"`([^`\n]+)`", outside):
        if re.match(rf"(?:{'|'.join(CHECKED)}) ", line):
            yield from line.split(" && ")


@cache
def plan(scale: str | None) -> Plan:
    return Plan(load_config(ROOT / "config", overrides={"scale": scale} if scale else None))


def check_make(words: list[str]) -> None:
    done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def check_snakemake(words: list[str]) -> None:
    targets, settings, taking = [], [], None
    for word in words:
        if word == "--":
            taking = None
        elif word.startswith("-"):
            taking = word if word in VALUED | LISTED else None
        elif taking in LISTED:
            settings.append(word) if taking == "--config" else None
        elif taking:
            taking = None
        else:
            targets.append(word)
    chosen = dict(setting.partition("=")[::2] for setting in settings)
    scale = chosen.get("scale")
    if scale in ("NAME", "copy"):
        return
    found = plan(scale)
    for target in targets:
        if target not in RULES | FOLDERS and not any(example in target for example in READERS):
            assert found.step_of(target), f"{target}: nothing makes it"


def check_python(words: list[str]) -> None:
    script, *options = words
    if script in ("-c", "-m"):
        return
    source = (ROOT / script).read_text() + (ROOT / "scripts/twostream/cli.py").read_text()
    for option in options:
        if option.startswith("--"):
            assert f'"{option.partition("=")[0]}"' in source, f"{script} has no {option}"


def check_dvc(words: list[str]) -> None:
    for option, value in pairwise(words):
        if option == "-S":
            file, _, setting = value.partition(":")
            place = read_yaml(ROOT / file)
            *keys, last = setting.partition("=")[0].removeprefix("+").split(".")
            for key in keys:
                place = place[key]
            assert setting.startswith("+") or last in place, f"{file} has no {setting}"


CHECKS = dict(zip(CHECKED, (check_make, check_snakemake, check_python, check_dvc), strict=True))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_commands_are_of_what_there_is(document, monkeypatch):
    monkeypatch.chdir(ROOT)
    for command in commands(document):
        words = shlex.split(command.replace("...", ""), comments=True)
        try:
            CHECKS[words[0]](words[1:])
        except (AssertionError, KeyError, OSError, UserError) as error:
            pytest.fail(f"{document.name}: `{command}`: {error!r}")

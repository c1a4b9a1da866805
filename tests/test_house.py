"""The house stands: packages import those above them alone, and a rule has one name everywhere."""

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from conftest import ROOT

LIBRARY = ROOT / "scripts/twostream"
# From the ground up: each imports only those before it.
FLOORS = [
    "files",
    "markers",
    "npz",
    "arithmetic",
    "paths",
    "npz",
    "config",
    "provenance",
    "progress",
    "slurm",
    "devices",
    "downloads",
    "cli",
    "videos",
    "flow",
    "extraction",
    "networks",
    "scores",
    "training",
    "results",
    "figures",
    "report",
    "plan",
    "classify",
    "doctor",
]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
MODULES = sorted(file for file in LIBRARY.rglob("*.py") if file.name != "__init__.py")
RULES = {
    name: body
    for file in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)*)", file.read_text(), re.MULTILINE)
    if "    shell:" in body or "    script:" in body
}
# Rules that are another's but for what they read and write.
DERIVED = {
    name: body
    for file in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for name, body in re.findall(
        r"^use rule \w+ as (\w+) with:\n((?:    .*\n|\n)*)", file.read_text(), re.MULTILINE
    )
}
# Rules whose tests are those of another's, or of all of their kind.
TESTED_WITH = {
    "extract_frames": "extract_flow",
    "pretrain": "train_stream",
    "import_weights": "caffe",
    "compare_methods": "paired_tests",
    "compare_trial": "score_trial",
    "plot_flow": "figures",
    "plot_filters": "figures",
    "plot_confusion": "figures",
    "plot_recall": "figures",
    "plot_fusion_weight": "figures",
    "plot_curves": "figures",
    "write_page": "results",
}


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(LIBRARY).with_suffix("").parts)


NAMES = {module_of(file) for file in MODULES}


def imports(file: Path) -> Iterator[str]:
    """The library's modules that a file imports, also inside functions; a package stands for itself."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}:{node.lineno}: a relative import"
            found = [f"{node.module}.{name.name}" for name in node.names]
        else:
            continue
        for name in found:
            if name.startswith("twostream."):
                inside = name.removeprefix("twostream.")
                parts = (inside, inside.rpartition(".")[0])
                yield next((part for part in parts if part in NAMES), inside)


def floor(module: str) -> str:
    return module.partition(".")[0]


BENCHMARKS = sorted((ROOT / "benchmarks").rglob("*.py"))


@pytest.mark.parametrize("file", BENCHMARKS, ids=lambda file: file.stem)
def test_what_a_benchmark_imports_is_there(file):
    """None is run by a test at its full length, so a name that moved would be missed."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("twostream."):
            module = node.module.removeprefix("twostream.")
            for name in node.names:
                assert f"{module}.{name.name}" in NAMES or name.name in top_level(module), name.name


def top_level(module: str) -> set[str]:
    """The names that a module binds or imports; none if there is no such module."""
    file = LIBRARY.joinpath(*module.split(".")).with_suffix(".py")
    body = ast.parse(file.read_text()).body if file.exists() else []
    bound = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in body:
        if isinstance(node, ast.ImportFrom):
            bound |= {name.asname or name.name for name in node.names}
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        bound |= {
            name.id for target in targets if target for name in ast.walk(target) if isinstance(name, ast.Name)
        }
    return bound


def test_each_module_is_on_a_floor():
    assert {floor(module_of(file)) for file in MODULES} <= set(FLOORS)
    assert {module for module in NAMES if "." not in module} <= set(FLOORS)


@pytest.mark.parametrize("file", MODULES, ids=module_of)
def test_no_import_goes_up(file):
    own = floor(module_of(file))
    for module in imports(file):
        assert module in NAMES, f"{module} is no module"
        assert floor(module) == own or FLOORS.index(floor(module)) < FLOORS.index(own), f"imports {module}"


def test_no_modules_import_each_other_in_a_circle():
    # It raises CycleError, which names them.
    TopologicalSorter({module_of(file): set(imports(file)) for file in MODULES}).prepare()


def test_packages_inside_are_empty_themselves():
    # Code there would escape the digests. The outermost sets the arithmetic, which no digest is of.
    packages = [folder for folder in LIBRARY.rglob("*") if any(folder.glob("*.py"))]
    assert packages
    assert {folder.name: (folder / "__init__.py").read_bytes() for folder in packages} == {
        folder.name: b"" for folder in packages
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_imports_twostream_before_other_packages(script):
    """It sets the arithmetic, which libraries that compute read as they are loaded."""
    names = [
        getattr(node, "module", None) or node.names[0].name
        for node in ast.parse(script.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    packages = [top for top, *_ in (name.split(".") for name in names) if top not in sys.stdlib_module_names]
    assert [name for name in packages if name != "pydantic"][:1] in ([], ["twostream"])


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_its_script_and_its_log_have_one_name(rule):
    body = RULES[rule]
    assert re.findall(r"scripts/(\w+)\.py", body) == [rule]
    (log,) = re.findall(r"    log:\n +\"(.+)\"", body)
    assert re.fullmatch(rf"logs/{rule}(/.+)?\.log", log)
    assert (ROOT / f"scripts/{rule}.py").exists()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_tests(rule):
    own = ROOT / f"tests/test_{rule}.py"
    assert own.exists() != (rule in TESTED_WITH), "it has tests of its own, or it is in TESTED_WITH"
    if rule in TESTED_WITH:
        assert (ROOT / f"tests/test_{TESTED_WITH[rule]}.py").exists()

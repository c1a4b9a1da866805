"""A spec changes with what matters and with nothing else."""

import ast
from pathlib import Path

import pytest

from twostream.files import UserError
from twostream.provenance import sources
from twostream.provenance.digest import digest
from twostream.provenance.sources import canonical
from twostream.provenance.specs import _code_of, _module, _reached, code_digest, code_parts


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    (tmp_path / "twostream/config").mkdir(parents=True)
    (tmp_path / "job.py").write_text(
        '"""Doc."""\nfrom twostream import near\nfrom twostream.config.settings import x\n'
    )
    (tmp_path / "twostream/near.py").write_text("def f():\n    from twostream.far import g\n    return g()\n")
    (tmp_path / "twostream/far.py").write_text("def g():\n    return 1\n")
    (tmp_path / "twostream/apart.py").write_text("y = 1\n")
    (tmp_path / "twostream/config/settings.py").write_text("x = 1\n")
    return tmp_path


def after(scripts: Path, file: str, text: str) -> str:
    (scripts / file).write_text(text)
    return now(scripts)


def now(scripts: Path, *modules: str) -> str:
    _code_of.cache_clear()
    _module.cache_clear()
    _reached.cache_clear()
    return code_digest("job", modules, scripts)


def test_code_that_is_reached_counts(scripts):
    before = now(scripts)
    assert after(scripts, "twostream/far.py", "def g():\n    return 2\n") != before


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("twostream/far.py", "def g():\n    # why\n    return 1\n"),
        ("twostream/far.py", 'def g():\n    """Documented now."""\n    return (1)\n'),
        (
            "job.py",
            '"""Other words."""\nfrom twostream import near\nfrom twostream.config.settings import x\n',
        ),
        ("twostream/apart.py", "y = 2\n"),
        ("twostream/config/settings.py", "x = 2\n"),
    ],
)
def test_comments_docstrings_unreached_modules_and_config_models_do_not(scripts, file, text):
    before = now(scripts)
    assert after(scripts, file, text) == before


def test_key_order_does_not_count():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})


def test_a_moved_module_is_the_same_code(scripts):
    before, parts = now(scripts), code_parts("job", root=scripts)
    (scripts / "twostream/inner").mkdir()
    (scripts / "twostream/far.py").rename(scripts / "twostream/inner/away.py")
    near = (scripts / "twostream/near.py").read_text().replace("twostream.far", "twostream.inner.away")
    assert after(scripts, "twostream/near.py", near) == before
    assert sorted(code_parts("job", root=scripts).values()) == sorted(parts.values())


def test_what_is_imported_from_where_counts(scripts):
    (scripts / "job.py").write_text("from twostream.near import f\nfrom twostream.far import g\n")
    before = now(scripts)
    assert (
        after(scripts, "job.py", "from twostream.near import f as g\nfrom twostream.far import g as f\n")
        != before
    )
    (scripts / "twostream/other.py").write_text("def g():\n    return 3\n")
    assert after(scripts, "job.py", "from twostream.near import f\nfrom twostream.other import g\n") != before


def test_a_module_that_a_recipe_names_counts(scripts):
    assert now(scripts, "twostream.apart") != now(scripts)
    assert "twostream/apart.py" in code_parts("job", ["twostream.apart"], scripts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from .far import g\n", "by their whole names"),
        ("from twostream import nowhere\n", "by their whole names"),
        (
            "from twostream.far import g\nfrom twostream.near import f as g\n",
            "g is imported, and is the name",
        ),
        ("def f(:\n", "is not Python"),
    ],
)
def test_what_specs_cannot_see_is_refused(scripts, text, message):
    (scripts / "job.py").write_text(text)
    with pytest.raises(UserError, match=message):
        now(scripts)


def test_the_place_of_an_import_within_code_counts(scripts):
    (scripts / "twostream/other.py").write_text("def g():\n    return 3\n")
    lines = "if x:\n    from twostream.{} import g\nelse:\n    from twostream.{} import g\n"
    before = after(scripts, "job.py", lines.format("far", "other"))
    assert after(scripts, "job.py", lines.format("other", "far")) != before


def test_a_circle_of_imports_is_named(scripts):
    (scripts / "twostream/far.py").write_text("from twostream.near import f\n")
    with pytest.raises(UserError, match=r"circle: twostream\.(near|far) - twostream\.(near|far) - "):
        now(scripts)


SYNTAX = """
import os
from typing import Generic, TypeVar
T = TypeVar("T")
class A(Generic[T], metaclass=type):
    "Gone."
    x: int = -1
    def f(self, a, /, b=1.5e300, *c, d: "str" = "it's", **e) -> None:
        async def g(): return [await i async for i in c if i]
        return lambda *, y=b"a": (yield)
try:
    z = f"{x!r:>{w}} {{}} {'a' 'b'}" f"{x=}" "c"
except* (OSError, ValueError) as error: raise KeyError(...) from error
match z:
    case {"a": [1, *_], **rest} | A(x=None): del rest
with open(os.devnull) as q, q: v = 1_000j if not z else {**z} if 0 else None
@decorated
def h(z: int = 0o17):
    global k
    k = z[1:2, ::3]; assert z, "no"
"""


def test_the_form_of_code_is_the_same_in_each_version_of_python():
    # Worked out by Python 3.11.7, 3.12.1 and 3.13.0.
    assert digest(canonical(ast.parse(SYNTAX))) == "4c804bc251d01153"


def test_what_was_read_of_a_source_is_kept_for_later_calls_and_changes_nothing(scripts, monkeypatch):
    monkeypatch.setattr(sources, "FILE", scripts / "scratch/sources.json")

    def in_a_call_of_its_own() -> str:
        sources._kept.cache_clear()
        return now(scripts)

    first = in_a_call_of_its_own()
    assert not sources.FILE.parent.exists()
    sources.FILE.parent.mkdir()
    assert in_a_call_of_its_own() == first and sources.FILE.exists()
    with monkeypatch.context() as patched:
        patched.setattr(sources, "_parse", None)
        assert in_a_call_of_its_own() == first
    (scripts / "twostream/far.py").write_text("def g():\n    return 2\n")
    changed = in_a_call_of_its_own()
    assert changed != first
    sources.FILE.write_text('{"a": 1}')
    assert in_a_call_of_its_own() == changed

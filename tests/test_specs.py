"""A spec changes with what matters and with nothing else."""

from pathlib import Path

import pytest

from twostream.specs import code_digest, digest


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    (tmp_path / "twostream").mkdir()
    (tmp_path / "job.py").write_text(
        '"""Doc."""\nfrom twostream import near\nfrom twostream.config import x\n'
    )
    (tmp_path / "twostream/near.py").write_text("def f():\n    from twostream.far import g\n    return g()\n")
    (tmp_path / "twostream/far.py").write_text("def g():\n    return 1\n")
    (tmp_path / "twostream/apart.py").write_text("y = 1\n")
    (tmp_path / "twostream/config.py").write_text("x = 1\n")
    return tmp_path


def after(scripts: Path, file: str, text: str) -> str:
    (scripts / file).write_text(text)
    code_digest.cache_clear()
    return code_digest("job", scripts)


def test_code_that_is_reached_counts(scripts):
    before = code_digest("job", scripts)
    assert after(scripts, "twostream/far.py", "def g():\n    return 2\n") != before


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("twostream/far.py", "def g():\n    # why\n    return 1\n"),
        ("twostream/far.py", 'def g():\n    """Documented now."""\n    return (1)\n'),
        ("job.py", '"""Other words."""\nfrom twostream import near\nfrom twostream.config import x\n'),
        ("twostream/apart.py", "y = 2\n"),
        ("twostream/config.py", "x = 2\n"),
    ],
)
def test_comments_docstrings_unreached_modules_and_config_models_do_not(scripts, file, text):
    before = code_digest("job", scripts)
    assert after(scripts, file, text) == before


def test_key_order_does_not_count():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})

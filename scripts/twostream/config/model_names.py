"""The models that torchvision and timm have, by name."""

import re
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from twostream.config.networks import Backbone, Library
from twostream.files import UserError

REGISTERED = re.compile(r"^@register_model(?:\(\))?\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)


def unknown_model(backbone: Backbone) -> str | None:
    """Return what to say of a model that its library has not; None if it has it.

    Raises UserError if the library is not installed.
    """
    name, library = backbone.backbone, backbone.library
    known = model_names(library)
    if name in known:
        return None
    other = next((o for o in ("torchvision", "timm") if o != library and find_spec(o)), None)
    similar = get_close_matches(name, sorted(known), n=5, cutoff=0.5)
    hints = [f"it has {', '.join(similar)}"] if similar else []
    if other and name in model_names(other):
        hints.insert(0, f"{other} has one (`library: {other}`)")
    return "; ".join([f"{library} has no classification model {name!r}", *hints])


@cache
def model_names(library: Library) -> frozenset[str]:
    """Return the names of a library's classification models; raise UserError if it is not installed.

    They are read from its source, as to import it would take each call of snakemake seconds.
    """
    package = find_spec(library)
    if package is None or package.origin is None:
        raise UserError(
            f"networks: a backbone needs {library}, which is not installed: `make pretrained`, or"
            " `pip install --no-deps -r requirements/pretrained.txt`"
        )
    files = (Path(package.origin).parent / "models").glob("*.py")
    return frozenset(name for file in files for name in REGISTERED.findall(file.read_text(encoding="utf-8")))

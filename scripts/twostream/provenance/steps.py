"""Steps: what one rule does for one artefact, or for all shards of a dataset."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from twostream.provenance.digest import digest
from twostream.provenance.specs import Spec, code_digest


@dataclass(frozen=True)
class Step:
    """One rule for one artefact: the script that makes it, its recipe, and what it is made from."""

    script: str
    recipe: BaseModel
    outputs: list[str]
    made_from: list["Step"] = field(default_factory=list)
    named: dict[str, list["Step"]] = field(default_factory=dict)
    """What it is made from, by the name that the rule and the script have for it."""
    modules: tuple[str, ...] = ()
    """What the script imports by a name in its recipe: these modules' code counts too."""
    settled: dict[str, Any] = field(default_factory=dict)
    """What a name in the recipe stands for, from a table in the library: it counts as the recipe does."""

    @classmethod
    def of(
        cls,
        script: str,
        recipe: BaseModel,
        outputs: list[str],
        inputs: Iterable[tuple[str, "Step"]],
        modules: tuple[str, ...] = (),
        settled: dict[str, Any] | None = None,
    ) -> "Step":
        """Return a step made from named inputs, in this order; a name may stand for several."""
        pairs = list(inputs)
        named: dict[str, list[Step]] = {}
        for name, step in pairs:
            named.setdefault(name, []).append(step)
        return cls(script, recipe, outputs, [step for _, step in pairs], named, modules, settled or {})

    def files(self, name: str) -> list[str]:
        """The files of one named input, in order; none if it has no such input."""
        return [output for step in self.named.get(name, []) for output in step.outputs]

    @property
    def files_by_name(self) -> dict[str, list[str]]:
        """The files of each named input."""
        return {name: self.files(name) for name in self.named}

    @property
    def inputs(self) -> list[str]:
        """The files it is made from."""
        return [output for step in self.made_from for output in step.outputs]

    @property
    def short_recipe(self) -> dict[str, Any]:
        """The recipe without its defaults, as its script takes it."""
        return self.recipe.model_dump(mode="json", exclude_defaults=True)

    @cached_property
    def code(self) -> str:
        """The digest of its code."""
        return code_digest(self.script, self.modules)

    @cached_property
    def own_digest(self) -> str:
        """The digest of its recipe and code, whatever it is made from."""
        return digest([self.short_recipe, self.settled, self.code])

    @cached_property
    def spec(self) -> str:
        """The digest of recipe, code and everything upstream (see `specs`)."""
        return digest([self.own_digest, [step.spec for step in self.made_from]])

    @property
    def whole_spec(self) -> Spec:
        """The spec and what goes into it, as its jobs are given it."""
        return Spec(
            digest=self.spec,
            script=self.script,
            modules=list(self.modules),
            code=self.code,
            settled=self.settled,
            made_from={output: step.spec for step in self.made_from for output in step.outputs},
            recipe=self.short_recipe,
        )


def with_upstream(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps and all that they are made from, each once, the given ones first."""
    waiting = list(steps)
    seen: set[str] = set()
    while waiting:
        step = waiting.pop(0)
        if step.outputs[0] not in seen:
            seen.add(step.outputs[0])
            yield step
            waiting += step.made_from

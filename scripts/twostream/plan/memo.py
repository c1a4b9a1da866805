"""What the groups of the plan share: steps that are made once, and the error where there is none."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from twostream.files import UserError
from twostream.provenance.steps import Step

Group = TypeVar("Group")
Args = ParamSpec("Args")
StepMethod = Callable[Concatenate[Group, Args], Step]


class NoSuchStepError(UserError):
    """The configuration, as it stands, has no step that makes this."""


def memoized(method: StepMethod[Group, Args]) -> StepMethod[Group, Args]:
    """Make each step of a group once: its spec takes everything upstream to work out."""

    @wraps(method)
    def remembered(self: Group, *args: Args.args, **kwargs: Args.kwargs) -> Step:
        # They lie in the group itself, so that they go when the plan goes.
        steps: dict[Any, Step] = vars(self).setdefault("_memoized", {})
        key = (method.__name__, args, *kwargs.items())
        if key not in steps:
            steps[key] = method(self, *args, **kwargs)
        return steps[key]

    # So that rules find it by its name.
    vars(remembered)["gives_step"] = True
    return remembered


def steps_by_rule(*groups: object) -> dict[str, Callable[..., Step]]:
    """Return the methods of groups that give a step, by their name, which is that of the rule."""
    return {
        name: getattr(group, name)
        for group in groups
        for name, method in vars(type(group)).items()
        if getattr(method, "gives_step", False)
    }

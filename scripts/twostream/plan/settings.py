"""What holds in each call of Snakemake here, whatever its profile and options: correctness rests on it."""

from typing import Any

from snakemake.dag import DAG
from snakemake.settings.types import RerunTrigger
from snakemake.workflow import Workflow


def hold_settings() -> None:
    """Have Snakemake take no lock, no output for incomplete or wrong, and nothing remembered for a reason.

    Its own lock outlives `kill -9` and then stops the next call (`locks` has a better one). Records tell what
    is whole and current, also after a kill. What Snakemake remembers of past calls stays in one clone, while
    records travel. An output whose time is before its input's is no error: the input may come from a node or
    a file system whose clock is ahead.
    """
    prepare = Workflow._prepare_dag

    def prepare_dag(workflow: Any, *args: Any, **settings: Any) -> Any:
        return prepare(workflow, *args, **{**settings, "ignore_incomplete": True, "nolock": True})

    Workflow._prepare_dag = prepare_dag
    Workflow.rerun_triggers = property(lambda _: frozenset({RerunTrigger.MTIME}))
    DAG.check_output_mtime = _unchecked


async def _unchecked(dag: Any, *_: Any) -> None:
    """Stands for a check of outputs' times."""

"""What holds in each call of Snakemake here, whatever its profile and options: correctness rests on it."""

import os
from pathlib import Path
from typing import Any

from snakemake.dag import DAG
from snakemake.persistence.file import FilePersistence
from snakemake.settings.types import RerunTrigger
from snakemake.workflow import Workflow


def hold_settings(scratch: Path) -> None:
    """Have Snakemake take no lock, no output for incomplete or wrong, and nothing remembered for a reason.

    Its own lock outlives `kill -9` and then stops the next call (`locks` has a better one). Records tell what
    is whole and current, also after a kill. What Snakemake remembers of past calls stays in one clone, while
    records travel. An output whose time is before its input's is no error: the input may come from a node or
    a file system whose clock is ahead. Where Snakemake's folder cannot be written to, as in a dry run in a
    folder that one may only read, what it would keep there goes to `scratch`.
    """
    prepare, initialise = Workflow._prepare_dag, FilePersistence.__init__

    def prepare_dag(workflow: Any, *args: Any, **settings: Any) -> Any:
        return prepare(workflow, *args, **{**settings, "ignore_incomplete": True, "nolock": True})

    def initialise_somewhere(persistence: Any, *args: Any, **settings: Any) -> None:
        if settings.get("path") is None and not _is_writable(Path(".snakemake")):
            settings["path"] = scratch
        initialise(persistence, *args, **settings)

    Workflow._prepare_dag = prepare_dag
    Workflow.rerun_triggers = property(lambda _: frozenset({RerunTrigger.MTIME}))
    FilePersistence.__init__ = initialise_somewhere
    DAG.check_output_mtime = _unchecked


async def _unchecked(dag: Any, *_: Any) -> None:
    """Stands for a check of outputs' times."""


def _is_writable(folder: Path) -> bool:
    return os.access(folder if folder.exists() else folder.parent, os.W_OK)

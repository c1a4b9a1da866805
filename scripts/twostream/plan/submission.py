"""What of Snakemake's SLURM executor is mended: how it hands jobs over once a node has failed."""

from collections.abc import Iterable
from typing import Any


def exclude_nodes_alone() -> None:
    """Have the executor keep its further jobs from nodes that have failed, and from nothing else.

    It asks SLURM for the node of the job that has failed. SLURM has that job wait for another one by then, so
    the answer may be `None assigned`, and no job could be handed over any more.
    """
    # Where SLURM is not used it need not be installed.
    import snakemake_executor_plugin_slurm as executor

    submit_command = executor.get_submit_command

    def get_submit_command(*args: Any, failed_nodes: Iterable[str] | None = None, **options: Any) -> str:
        nodes = {name for name in failed_nodes or () if " " not in name}
        return submit_command(*args, failed_nodes=nodes, **options)

    executor.get_submit_command = get_submit_command

"""One process that loads the libraries of a call's jobs, where a call has many (`scripts/job_server.py`)."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from twostream import paths
from twostream.config.settings import Config
from twostream.provenance.steps import Step

# A job's command begins with it; without a server there is nothing.
COMMAND = "TWOSTREAM_RUN_JOB"
# Jobs that load PyTorch, which takes the server as long as it takes one of them.
RULES = ("pretrain", "train_stream", "score_videos", "score_trial")
MANY = 3
# The second is loaded by optimisers.
MODULES = ("torch", "torch._dynamo", "safetensors.torch", "pandas", "cv2", "pydantic", "yaml")

_servers: list[subprocess.Popen[bytes]] = []


def start_job_server(steps: Iterable[Step], config: Config) -> None:
    """Have the jobs of this call start as copies of one process, if they are many; on a CPU.

    The process ends when this one does.
    """
    if config.device != "cpu" or sum(step.script in RULES for step in steps) < MANY:
        return
    address = Path(paths.JOBS.format(process=os.getpid()))
    address.parent.mkdir(exist_ok=True)
    _servers.append(
        subprocess.Popen(
            ["python", "scripts/job_server.py", address, *MODULES],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # What is sent to this process's group is not meant for it: jobs would lose who watches them.
            process_group=0,
        )
    )
    os.environ[COMMAND] = f"python -I -S scripts/run_job.py {address}"

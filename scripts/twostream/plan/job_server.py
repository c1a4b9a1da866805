"""One process that loads the libraries of a call's jobs, where a call has many (`scripts/job_server.py`)."""

import os
import socket
import subprocess
import sys
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

    The process ends when this one does. Where no socket can be had, which is told, jobs load their libraries
    themselves.
    """
    os.environ.pop(COMMAND, None)
    if config.device != "cpu" or sum(step.script in RULES for step in steps) < MANY:
        return
    address = paths.JOBS.format(process=os.getpid())
    try:
        # Here, so that no job begins before there is a socket.
        listener = listening(address)
    except OSError as error:
        print(
            f"{address}: {error.strerror or error}; so each job loads its libraries itself", file=sys.stderr
        )
        return
    with listener:
        _servers.append(
            subprocess.Popen(
                ["python", "scripts/job_server.py", str(listener.fileno()), *MODULES],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                # What is sent to this process's group is not meant for it: jobs would lose who watches them.
                process_group=0,
            )
        )
    os.environ[COMMAND] = f"python -I -S scripts/run_job.py {address}"


def listening(address: str) -> socket.socket:
    """Return a socket that listens at a path, where nobody else's processes can connect.

    Raises OSError where there can be none.
    """
    path = Path(address)
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o077)
    try:
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    listener.listen(64)
    return listener

"""Have what tests call start as copies of one process that has loaded the libraries (`warm_server.py`).

Programs of the same names, in a folder that comes first in the PATH of what tests call, ask that process. A
test that names an interpreter by its path starts that; so does one with the environment COLD (`conftest.py`).
"""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

# The folder's name, for the processes that pytest-xdist starts.
VARIABLE = "TWOSTREAM_TESTS_WARM"
HERE = Path(__file__).resolve().parent
PYTHON = Path(sys.executable)
CONSOLE_SCRIPTS = ("snakemake", "dvc", "torchrun")
# What takes more than a few milliseconds of those that a script, Snakemake or DVC imports here.
MODULES = """
torch torch._dynamo torch.distributed.run torch.optim torch.utils.data safetensors.torch torchvision
numpy pandas pandas.io.formats.csvs pandas.core.methods.to_dict cv2 av av.subtitles.stream numba
scipy.stats scipy.optimize sklearn.svm sklearn.linear_model tqdm requests
pydantic pydantic.functional_serializers yaml graphlib encodings.cp437
matplotlib.figure matplotlib.style matplotlib.backends.backend_agg matplotlib.backends.backend_svg
PIL.PngImagePlugin PIL.JpegImagePlugin
snakemake.cli snakemake.api snakemake.workflow snakemake.report snakemake.report.html_reporter
snakemake.profiles snakemake.storage argparse_dataclass smart_open yte docutils.core jinja2 platformdirs
dvc.cli dvc.cli.parser dvc._debug dvc.cachemgr dvc.data_cloud dvc.dirs dvc.repo dvc.repo.artifacts
dvc.repo.datasets dvc.repo.experiments dvc.repo.graph dvc.repo.index dvc.repo.open_repo dvc.repo.plots
dvc.repo.reproduce dvc.repo.stage dvc.repo.trie dvc.utils.strictyaml
dvc_data.hashfile.db.local dvc_data.hashfile.status dvc_data.index.checkout dvc_data.index.fetch dvc_render
configobj dulwich.worktree dulwich.ignore fsspec.implementations.memory networkx ruamel.yaml
"""
# What each call of Snakemake and DVC does first, and what it finds out is kept: which plugins are installed.
CALLED = "snakemake.cli:get_argument_parser dvc.cli.parser:get_main_parser"


class Warm:
    """A process that has loaded libraries, and a folder with programs that ask it; it ends with this one."""

    def __init__(self, environment: dict[str, str], *to_load: str) -> None:
        # By a short path, as those of sockets must be.
        self.folder = Path(tempfile.mkdtemp(prefix="warm", dir="/tmp"))
        with socket.socket(socket.AF_UNIX) as listener, (self.folder / "log").open("w") as log:
            listener.bind(str(self.folder / "socket"))
            listener.listen(64)
            self.server = subprocess.Popen(
                [PYTHON, HERE / "warm_server.py", str(listener.fileno()), *to_load],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=[listener.fileno()],
                process_group=0,
            )
        write_programs(self.folder)

    def end(self) -> None:
        """End the process, and what it has started."""
        self.server.communicate()
        shutil.rmtree(self.folder)


def start(environment: dict[str, str]) -> Warm:
    """Start the process for this session."""
    warm = Warm(environment, *MODULES.split(), *CALLED.split())
    os.environ[VARIABLE] = str(warm.folder)
    return warm


def use(environment: dict[str, str], folder: str | Path | None = None) -> dict[str, str]:
    """Return an environment in which the process is asked, if there is one."""
    folder = folder or os.environ.get(VARIABLE)
    return environment | {"PATH": f"{folder}:{environment['PATH']}"} if folder else environment


def write_programs(folder: Path) -> None:
    """Write programs that ask at the folder's socket, and start what they stand for where nobody answers."""
    real = shlex.quote(str(PYTHON))
    client, address = shlex.quote(str(HERE / "warm_client.py")), shlex.quote(str(folder / "socket"))
    ask = f"exec {real} -I -S {client} {address} {real}"
    # Options of the interpreter's are for one of its own, but for the one that torchrun gives its workers.
    which = 'case "$1" in\n-u) script="$2" ;;\n*) script="$1" ;;\nesac'
    programs = {"python": f'{which}\ncase "$script" in\n*.py) {ask} "$@" ;;\n*) exec {real} "$@" ;;\nesac'}
    for name in CONSOLE_SCRIPTS:
        programs[name] = f'{ask} {shlex.quote(str(PYTHON.with_name(name)))} "$@"'
    programs["torchrun"] = f"export PYTHON_EXEC={shlex.quote(str(folder / 'python'))}\n{programs['torchrun']}"
    for name, content in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{content}\n")
        (folder / name).chmod(0o755)

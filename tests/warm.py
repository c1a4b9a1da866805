"""Have what tests call start as copies of processes that have loaded the libraries (`warm_server.py`).

Programs of the same names, in a folder that comes first in the PATH of what tests call, ask these. A
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
# Which process is asked by each program: a copy of a smaller one starts, and ends, faster.
ASKED = {"python": "scripts", "torchrun": "scripts", "snakemake": "tools", "dvc": "tools"}
# What takes more than a few milliseconds of those that they import here; some scripts look into DVC's cache.
DVC = """
pydantic pydantic.functional_serializers yaml graphlib requests tqdm
dvc.cli dvc.cli.parser dvc._debug dvc.cachemgr dvc.data_cloud dvc.dirs dvc.repo dvc.repo.artifacts
dvc.repo.datasets dvc.repo.experiments dvc.repo.graph dvc.repo.index dvc.repo.open_repo dvc.repo.plots
dvc.repo.reproduce dvc.repo.stage dvc.repo.trie dvc.utils.strictyaml
dvc_data.hashfile.db.local dvc_data.hashfile.status dvc_data.index.checkout dvc_data.index.fetch dvc_render
configobj dulwich.worktree dulwich.ignore fsspec.implementations.memory networkx ruamel.yaml
"""
SCRIPTS = """
torch torch._dynamo torch.distributed.run torch.optim torch.utils.data safetensors.torch torchvision
numpy pandas pandas.io.formats.csvs pandas.core.methods.to_dict cv2 av av.subtitles.stream numba
scipy.stats scipy.optimize sklearn.svm sklearn.linear_model encodings.cp437
matplotlib.figure matplotlib.style matplotlib.backends.backend_agg matplotlib.backends.backend_svg
PIL.PngImagePlugin PIL.JpegImagePlugin
"""
# Their parsers look for plugins, and keep what they find.
TOOLS = """
snakemake.cli snakemake.api snakemake.workflow snakemake.report snakemake.report.html_reporter
snakemake.profiles snakemake.storage argparse_dataclass smart_open yte docutils.core jinja2 platformdirs
snakemake.cli:get_argument_parser dvc.cli.parser:get_main_parser
"""
LOADED = {"scripts": SCRIPTS + DVC, "tools": DVC + TOOLS}


class Warm:
    """Processes that have loaded libraries, and a folder with programs that ask; they end with this one."""

    def __init__(self, environment: dict[str, str], loaded: dict[str, str]) -> None:
        # By a short path, as those of sockets must be.
        self.folder = Path(tempfile.mkdtemp(prefix="warm", dir="/tmp"))
        self.servers = [self._start(environment, name, *to_load.split()) for name, to_load in loaded.items()]
        write_programs(self.folder)

    def _start(self, environment: dict[str, str], name: str, *to_load: str) -> subprocess.Popen[bytes]:
        with socket.socket(socket.AF_UNIX) as listener, (self.folder / f"{name}.log").open("w") as log:
            listener.bind(str(self.folder / f"{name}.socket"))
            listener.listen(64)
            return subprocess.Popen(
                [PYTHON, HERE / "warm_server.py", str(listener.fileno()), *to_load],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=[listener.fileno()],
                process_group=0,
            )

    def end(self) -> None:
        """End the processes, and what they have started."""
        for server in self.servers:
            server.communicate()
        shutil.rmtree(self.folder)


def start(environment: dict[str, str]) -> Warm:
    """Start the processes for this session."""
    warm = Warm(environment, LOADED)
    os.environ[VARIABLE] = str(warm.folder)
    return warm


def use(environment: dict[str, str], folder: str | Path | None = None) -> dict[str, str]:
    """Return an environment in which the processes are asked, if there are any."""
    folder = folder or os.environ.get(VARIABLE)
    return environment | {"PATH": f"{folder}:{environment['PATH']}"} if folder else environment


def write_programs(folder: Path) -> None:
    """Write programs that ask at the folder's sockets, and start what they stand for where nobody answers."""
    real, client = shlex.quote(str(PYTHON)), shlex.quote(str(HERE / "warm_client.py"))
    programs = {}
    for name, process in ASKED.items():
        ask = f"exec {real} -I -S {client} {shlex.quote(str(folder / f'{process}.socket'))} {real}"
        programs[name] = f'{ask} {shlex.quote(str(PYTHON.with_name(name)))} "$@"'
        if name == "python":
            # Options are for an interpreter of one's own, but for the one that torchrun's workers get.
            which = 'case "$1" in\n-u) script="$2" ;;\n*) script="$1" ;;\nesac'
            programs[name] = f'{which}\ncase "$script" in\n*.py) {ask} "$@" ;;\n*) exec {real} "$@" ;;\nesac'
    programs["torchrun"] = f"export PYTHON_EXEC={shlex.quote(str(folder / 'python'))}\n{programs['torchrun']}"
    for name, content in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{content}\n")
        (folder / name).chmod(0o755)

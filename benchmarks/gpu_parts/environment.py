"""What it is measured on: the GPU, the CPU, the versions of libraries, and the commit."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version

import torch

from gpu_parts.place import Place
from gpu_parts.runner import ROOT
from twostream.arithmetic import processor

PACKAGES = {
    "triton": ("triton", "triton-windows", "pytorch-triton"),
    "numpy": ("numpy",),
    "numba": ("numba",),
    "OpenCV": (
        "opencv-contrib-python-headless",
        "opencv-contrib-python",
        "opencv-python-headless",
        "opencv-python",
    ),
    "pydantic": ("pydantic",),
    "pandas": ("pandas",),
    "snakemake": ("snakemake",),
}


def measure(place: Place) -> None:
    """Say what is here. Raises RuntimeError if a GPU is asked for and none is usable."""
    if place.device == "cuda":
        if not torch.cuda.is_available():
            raise RuntimeError(f"torch {torch.__version__} finds no GPU that it can use here")
        _say_gpu(place)
    place.said("CPU", f"{processor()}, {os.cpu_count()} cores")
    place.said("system", f"{platform.system()}, {platform.machine()}")
    place.said("Python", platform.python_version())
    place.said("torch", f"{torch.__version__}, CUDA {torch.version.cuda}, cuDNN {_cudnn()}")
    for name, packages in PACKAGES.items():
        place.said(name, next(filter(None, map(_version, packages)), "not here"))
    place.said("commit", _commit())


def _say_gpu(place: Place) -> None:
    facts = torch.cuda.get_device_properties(0)
    memory = f"{facts.total_memory / 1e9:.1f} GB"
    place.said("GPU", f"{facts.name}, {memory}, compute capability {facts.major}.{facts.minor}")
    place.said("GPU's driver", _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"))
    place.said("bfloat16", "yes" if torch.cuda.is_bf16_supported(including_emulation=False) else "no")
    # What PyTorch does in single precision depends on it: convolutions take it by default, products do not.
    convolutions, products = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    place.said("TF32 in single precision", f"convolutions {convolutions}, products {products}")


def _cudnn() -> str:
    return str(torch.backends.cudnn.version()) if torch.backends.cudnn.is_available() else "none"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    found = _output("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD")
    edited = _output("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no", "scripts")
    return f"{found}, edited" if edited not in ("", "unknown") else found


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip().replace("\n", ", ") if done.returncode == 0 else "unknown"

"""One arithmetic for all x86-64 processors with AVX2, so that equal seeds give equal bytes on each.

Libraries choose their kernels by the processor: other instructions, other orders of summation, other
roundings, and after some hundred steps of a training another table. Here each is told to take those that
every processor with AVX2 and FMA has, Intel's or AMD's. They read it as they load, so it is set when the
package `twostream` is imported, before any module of it imports them.

`TWOSTREAM_ARITHMETIC=native` (`arithmetic` in config.yaml) leaves the choice to the libraries.
"""

import os
import platform
import sys
import warnings
from pathlib import Path
from typing import Literal, get_args

from twostream.files import UserError

Arithmetic = Literal["portable", "native"]

# How a process is told which: it must know before it imports what reads a command line or a file.
VARIABLE = "TWOSTREAM_ARITHMETIC"

# What each library reads, so that it computes alike on all processors with AVX2 and FMA.
PORTABLE = {
    # oneDNN's convolutions, all but one kind (networks/strided.py).
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    # MKL's products of matrices. Its own "AVX2" is for Intel's processors only.
    "MKL_CBWR": "COMPATIBLE",
    # PyTorch's own kernels. Those of "default" call the C library's exp and log.
    "ATEN_CPU_CAPABILITY": "avx2",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    # The linear algebra of NumPy, SciPy and scikit-learn.
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENCV_IPP": "disabled",
    "OPENCV_CPU_DISABLE": "AVX512-SKX,AVX512-ICL,AVX512-CLX,AVX512-CNL",
    "NUMBA_CPU_NAME": "haswell",
    # Without these it adds to that processor's instructions all that this one has.
    "NUMBA_CPU_FEATURES": "+avx2,+fma",
}
# A sum that threads share out depends on their number. Jobs run side by side, so each has one in any case.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

LIBRARIES = ("numpy", "torch", "cv2", "numba", "scipy", "sklearn")

# Those of them that had been imported before the arithmetic was set, and so compute in one of their own.
_came_first: list[str] = []


def set_up() -> None:
    """Set the environment of this process, and of those that it starts; warn if libraries have loaded.

    Values of the user's that stand against it are left as they are, for `check` to refuse.
    """
    os.environ.update(ONE_THREAD)
    if asked() == "native":
        for name, value in PORTABLE.items():
            # A process that computes portably has started this one.
            if os.environ.get(name) == value:
                del os.environ[name]
        return
    if any(name not in os.environ for name in PORTABLE):
        _came_first[:] = [library for library in LIBRARIES if library in sys.modules]
    for name, value in PORTABLE.items():
        os.environ.setdefault(name, value)
    # Else OpenCV warns in each job that IPP is off.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    if _came_first:
        warnings.warn(
            f"twostream is imported after {', '.join(_came_first)}, too late for results that are the same on"
            " every processor: import it first",
            stacklevel=3,
        )


def choose(arithmetic: Arithmetic) -> None:
    """Have the processes that this one starts compute in the arithmetic that the configuration names.

    Raises UserError if the environment says otherwise.
    """
    before = os.environ.get(VARIABLE, arithmetic)
    if before != arithmetic:
        raise UserError(
            f"{VARIABLE}={before} in the environment, and `arithmetic: {arithmetic}` in the configuration:"
            " unset it, as the configuration tells all jobs"
        )
    os.environ[VARIABLE] = arithmetic
    set_up()
    check()


def asked() -> str:
    """Return the arithmetic that this process was told to compute in."""
    return os.environ.get(VARIABLE, "portable")


def check() -> None:
    """Raise UserError if something in the user's environment stands against the arithmetic."""
    if asked() not in get_args(Arithmetic):
        raise UserError(f"{VARIABLE}={asked()}: is none of {', '.join(get_args(Arithmetic))}; unset it")
    if asked() == "native":
        return
    for name, value in PORTABLE.items():
        if os.environ.get(name) != value:
            raise UserError(
                f"{name}={os.environ.get(name)} in the environment stands against the arithmetic in which"
                f" results are the same on every processor ({name}={value}): unset it, or set"
                " `arithmetic: native` in config/config.yaml"
            )


def computed_in() -> str:
    """Return the arithmetic of this process: `portable`, or why its bytes are not comparable."""
    if asked() == "native":
        return "native"
    if platform.machine() not in {"x86_64", "AMD64"}:
        return f"native: {platform.machine()}"
    if not has_avx2():
        return "native: no AVX2"
    if _came_first:
        return f"native: {', '.join(_came_first)} imported first"
    return "portable"


def has_avx2() -> bool:
    """Whether the processor has AVX2 and FMA, as far as the system tells."""
    try:
        flags = Path("/proc/cpuinfo").read_text().partition("\nflags")[2].partition("\n")[0].split()
    except OSError:
        return False
    return {"avx2", "fma"} <= set(flags)


def processor() -> str:
    """Return the name of the processor as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())

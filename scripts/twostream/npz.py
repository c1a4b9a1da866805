"""Arrays in a `.npz` whose bytes depend on the arrays alone.

NumPy's own writer leaves the header of each member to Python's zipfile, which since Python 3.11.4 writes
another version number there.
"""

import io
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np


def write_npz(stream: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays, none of objects, as `numpy.load` reads them; equal ones give equal bytes."""
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=False)
            # With a fixed date.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())

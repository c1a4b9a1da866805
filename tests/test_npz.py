"""Arrays in a .npz: read back by NumPy, and written with the same bytes by every Python."""

import io
import zipfile

import numpy as np
import pytest

from twostream.npz import write_npz

ARRAYS = {"names": np.array(["a", "bcd"]), "values": np.arange(6, dtype=np.float32).reshape(2, 3)}


def written() -> bytes:
    stream = io.BytesIO()
    write_npz(stream, ARRAYS)
    return stream.getvalue()


def test_numpy_reads_them_back():
    with np.load(io.BytesIO(written()), allow_pickle=False) as found:
        assert found.files == list(ARRAYS)
        assert all((found[name] == array).all() for name, array in ARRAYS.items())


def test_headers_hold_nothing_of_the_day_or_of_python():
    # Where a size is not known before, as in numpy.savez, later Pythons than 3.11.3 write 45.
    for info in zipfile.ZipFile(io.BytesIO(written())).infolist():
        assert (info.create_version, info.extract_version) == (20, 20)
        assert info.date_time == (1980, 1, 1, 0, 0, 0) and not info.extra


def test_objects_are_refused():
    with pytest.raises(ValueError, match="Object arrays"):
        write_npz(io.BytesIO(), {"x": np.array([{}])})

"""The store: what goes in comes out, the same bytes each time, and damage is never passed on."""

import zipfile

import numpy as np
import pytest
from conftest import textured

from twostream.extraction.encoding import encode
from twostream.extraction.store import ShardWriter, Store
from twostream.files import UserError


def smooth_fields(count: int = 3, height: int = 40, width: int = 56) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / 20
    fields = [np.stack([3 * np.sin(x + k) - 5, 2 * np.cos(y * k)], axis=-1) for k in range(count)]
    return np.stack(fields).astype(np.float32)


def write(path, fields, video="a/b (c) & 'd'.avi"):
    with ShardWriter(path, 90) as writer:
        writer.add_flow(video, (encode(field, "range") for field in fields))
    return path


def restored(stored):
    low, high = stored.ranges[:, 0, :, None, None], stored.ranges[:, 1, :, None, None]
    return (low + stored.images * (high - low) / 255).transpose(0, 2, 3, 1)


def test_fields_come_back_with_a_small_error(tmp_path):
    fields = smooth_fields()
    store = Store([write(tmp_path / "0.zip", fields)])
    stored = store.read("a/b (c) & 'd'.avi", [0, 1, 2])
    error = np.linalg.norm(restored(stored) - fields, axis=-1)
    assert error.mean() < 0.05
    np.testing.assert_allclose(stored.ranges[:, 2], fields.mean(axis=(1, 2)), atol=1e-5)


def test_a_constant_component_comes_back_exactly(tmp_path):
    fields = smooth_fields(1)
    fields[..., 0] = 1.25
    stored = Store([write(tmp_path / "0.zip", fields)]).read("a/b (c) & 'd'.avi", [0])
    assert (restored(stored)[..., 0] == 1.25).all()


def test_frames_come_back_in_rgb(tmp_path):
    frame = np.zeros((32, 48, 3), np.uint8)
    frame[..., 2] = 200
    with ShardWriter(tmp_path / "0.zip", 95) as writer:
        writer.add_frames("red.avi", [frame, textured(32, 48)])
    store = Store([tmp_path / "0.zip"])
    assert store.length("red.avi") == 2
    image = store.read("red.avi", [0]).images[0]
    assert image.shape == (3, 32, 48)
    assert np.abs(image.mean(axis=(1, 2)) - [200, 0, 0]).max() < 3


def test_equal_input_gives_equal_bytes_in_a_plain_zip(tmp_path):
    one, two = (write(tmp_path / name, smooth_fields()) for name in ("1.zip", "2.zip"))
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 4
        assert all(m.compress_type == zipfile.ZIP_STORED for m in archive.infolist())


def test_a_changed_byte_is_an_error_that_names_shard_and_video(tmp_path):
    path = write(tmp_path / "0.zip", smooth_fields())
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"0\.zip: image 0 of a/b"):
        Store([path]).read("a/b (c) & 'd'.avi", [0])


def test_a_truncated_shard_is_an_error(tmp_path):
    path = write(tmp_path / "0.zip", smooth_fields())
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(UserError, match=r"0\.zip: is not a whole shard"):
        Store([path])


def test_what_is_not_there_is_an_error(tmp_path):
    path = write(tmp_path / "0.zip", smooth_fields())
    with pytest.raises(UserError, match="is in no shard"):
        Store([path]).length("other.avi")
    with pytest.raises(IndexError, match="no image 3"):
        Store([path]).read("a/b (c) & 'd'.avi", [3])
    with pytest.raises(UserError, match="is not a whole shard"):
        Store([tmp_path / "missing.zip"])


def test_values_that_are_not_finite_are_refused(tmp_path):
    fields = smooth_fields()
    fields[1, 2, 3, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        write(tmp_path / "0.zip", fields)

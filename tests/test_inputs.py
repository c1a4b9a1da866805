"""What the networks see, against definitions worked out by hand (PAPER: section 3.1)."""

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from twostream.config.benchmark import Input
from twostream.config.streams import FLOW_SCALE
from twostream.extraction.encoding import encode
from twostream.extraction.store import ShardWriter, Store
from twostream.training.batch import Batch
from twostream.training.preprocessing import prepare
from twostream.training.reader import VideoReader
from twostream.training.squares import square_side

HEIGHT, WIDTH = 24, 30


def flow_input(**settings) -> Input:
    return Input(**({"kind": "stacking", "length": 4} | settings))


def constant_fields(count: int, start: float) -> np.ndarray:
    """Field t is (start + t, -(start + t)) everywhere, so a value tells which field it came from."""
    values = start + np.arange(count, dtype=np.float32)
    field = np.stack([values, -values], axis=-1)[:, None, None, :]
    return np.broadcast_to(field, (count, HEIGHT, WIDTH, 2)).astype(np.float32)


@pytest.fixture
def reader(tmp_path):
    def make(what: Input, count: int = 8) -> VideoReader:
        stores = {}
        for name, start in (("flow", 0.0), ("backward_flow", 100.0)):
            with ShardWriter(tmp_path / f"{name}.zip", 90) as writer:
                writer.add_flow("v.avi", (encode(f, "range") for f in constant_fields(count, start)))
            stores[name] = Store([tmp_path / f"{name}.zip"])
        return VideoReader(what, stores)

    return make


def first_values(reader: VideoReader, start: int) -> list[float]:
    """The x component of each field of the input from `start`, at the top left."""
    stored = reader.read("v.avi", [start])[0]
    return stored.ranges[:, 0, 0].tolist()


def test_stacking_takes_consecutive_fields(reader):
    stacking = reader(flow_input())
    assert list(stacking.positions("v.avi")) == [0, 1, 2, 3, 4]
    assert first_values(stacking, 2) == [2, 3, 4, 5]


def test_bidirectional_takes_half_forward_and_half_backward_from_the_same_frame(reader):
    both = reader(flow_input(bidirectional=True))
    # 8 fields join 9 frames; frames 2 to 6 have two fields on each side.
    assert list(both.positions("v.avi")) == [2, 3, 4, 5, 6]
    # Backward field t leads from frame t + 1 to t, so from frame 3 it is field 2, then field 1.
    assert first_values(both, 3) == [3, 4, 102, 101]


def test_a_short_video_repeats_its_last_field(reader):
    short = reader(flow_input(length=10), count=3)
    assert list(short.positions("v.avi")) == [0]
    assert first_values(short, 0) == [0, 1, 2, 2, 2, 2, 2, 2, 2, 2]
    both = reader(flow_input(length=10, bidirectional=True), count=3)
    (middle,) = both.positions("v.avi")
    assert first_values(both, middle) == [1, 2, 2, 2, 2, 100, 100, 100, 100, 100]


def random_batch(what: Input, side: int, top: int = 0, left: int = 0, flip: bool = False) -> Batch:
    """A batch of one, of random smooth fields with components in about -3 to 3 px."""
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (1, what.length, 2, HEIGHT, WIDTH)).astype(np.uint8)
    ranges = np.zeros((1, what.length, 3, 2), np.float32)
    ranges[:, :, 0] = rng.uniform(-3, -1, (1, what.length, 2))
    ranges[:, :, 1] = rng.uniform(1, 3, (1, what.length, 2))
    ranges[:, :, 2] = rng.uniform(-1, 1, (1, what.length, 2))
    whole = [torch.tensor([value]) for value in (top, left, side)]
    return Batch(
        torch.from_numpy(images), torch.from_numpy(ranges), *whole, torch.tensor([flip]), torch.zeros(1, 3)
    )


def displacement(batch: Batch) -> np.ndarray:
    """The restored fields, [length, 2, height, width], by the formula in `Stored`."""
    images, ranges = batch.images[0].numpy().astype(float), batch.ranges[0].numpy()
    low, high = ranges[:, 0, :, None, None], ranges[:, 1, :, None, None]
    return low + images * (high - low) / 255


def test_stacked_channels_alternate_x_and_y_in_the_crop(reader):
    what = flow_input()
    batch = random_batch(what, side=16, top=3, left=7)
    made = prepare(batch, what, 16)[0].numpy() * FLOW_SCALE
    for k in range(what.length):
        expected = displacement(batch)[k, :, 3:19, 7:23]
        np.testing.assert_allclose(made[2 * k], expected[0], atol=1e-5)
        np.testing.assert_allclose(made[2 * k + 1], expected[1], atol=1e-5)


def test_mean_subtraction_takes_each_whole_fields_own_mean(reader):
    what = flow_input(mean_subtraction=True)
    batch = random_batch(what, side=16)
    plain = prepare(batch, flow_input(), 16)[0].unflatten(0, (-1, 2)) * FLOW_SCALE
    made = prepare(batch, what, 16)[0].unflatten(0, (-1, 2)) * FLOW_SCALE
    expected = plain - batch.ranges[0, :, 2, :, None, None]
    torch.testing.assert_close(made, expected)


def test_a_flip_mirrors_and_negates_x_only(reader):
    what = flow_input()
    plain = prepare(random_batch(what, side=16), what, 16)
    flipped = prepare(random_batch(what, side=16, flip=True), what, 16)
    torch.testing.assert_close(flipped[:, 0::2], -plain[:, 0::2].flip(-1))
    torch.testing.assert_close(flipped[:, 1::2], plain[:, 1::2].flip(-1))


def reference_trajectory(fields: np.ndarray, top: int, left: int, side: int) -> np.ndarray:
    """Equation 2, point by point: sample at p_k, where p_{k+1} = p_k + d_k(p_k)."""
    y, x = np.mgrid[top : top + side, left : left + side].astype(float)
    values = []
    for field in fields:
        step = [map_coordinates(component, [y, x], order=1, mode="nearest") for component in field]
        values += step
        x, y = x + step[0], y + step[1]
    return np.stack(values)


def test_trajectories_follow_the_flow(reader):
    what = flow_input(kind="trajectory")
    batch = random_batch(what, side=12, top=5, left=8)
    made = prepare(batch, what, 12)[0].numpy() * FLOW_SCALE
    expected = reference_trajectory(displacement(batch), 5, 8, 12)
    np.testing.assert_allclose(made, expected, atol=1e-3)


def test_bidirectional_trajectories_start_again_from_the_crop(reader):
    what = flow_input(kind="trajectory", bidirectional=True)
    batch = random_batch(what, side=12, top=5, left=8)
    made = prepare(batch, what, 12)[0].numpy() * FLOW_SCALE
    fields = displacement(batch)
    halves = [reference_trajectory(fields[:2], 5, 8, 12), reference_trajectory(fields[2:], 5, 8, 12)]
    np.testing.assert_allclose(made, np.concatenate(halves), atol=1e-3)


def test_without_motion_trajectories_are_stacking(reader):
    what = flow_input(kind="trajectory")
    batch = random_batch(what, side=16, top=3, left=7)
    batch.ranges[:, :, :2] *= 1e-6
    torch.testing.assert_close(
        prepare(batch, what, 16), prepare(batch, flow_input(), 16), atol=1e-7, rtol=1e-3
    )


@pytest.mark.parametrize("kind", ["stacking", "trajectory"])
def test_rescaled_flow_has_rescaled_vectors(reader, kind):
    what = flow_input(kind=kind)
    batch = random_batch(what, side=10)
    batch.images[:] = 255
    made = prepare(batch, what, 20)[0].numpy() * FLOW_SCALE
    expected = 2 * batch.ranges[0, :, 1].flatten().numpy()
    np.testing.assert_allclose(made.mean(axis=(1, 2)), expected, rtol=1e-5)


def test_a_crop_covers_the_same_part_of_the_picture_at_any_stored_size():
    assert square_side(224, 256, 256, 340) == 224
    assert square_side(224, 256, 240, 320) == 210
    assert square_side(224, 240, 240, 320) == 224


def test_frames_are_normalised_by_colour(reader):
    what = Input(kind="frames", length=11)
    images = torch.full((1, 11, 3, 8, 8), 123, dtype=torch.uint8)
    one = torch.tensor([0])
    batch = Batch(images, torch.zeros(1, 11, 3, 2), one, one, one + 8, one > 0, torch.tensor([[10.0, 0, 0]]))
    made = prepare(batch, what, 8)[0, :, 0, 0]
    expected = torch.tensor([(133 - 123.675) / 58, (123 - 116.28) / 58, (123 - 103.53) / 58] * 11)
    torch.testing.assert_close(made, expected)

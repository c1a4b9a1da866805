"""Scoring: which frames, which crops, and their mean."""

from collections import Counter

import numpy as np
import pytest
import torch
from test_train_stream import network_settings, run

from twostream.config.benchmark import Input
from twostream.extraction import store as store_module
from twostream.extraction.encoding import encode
from twostream.extraction.store import Shard, ShardWriter, Store
from twostream.networks.model_file import Description
from twostream.training.reader import VideoReader
from twostream.training.scoring import TestVideos, equal_spacing, score_video, views


@pytest.mark.parametrize(
    ("count", "wanted", "expected"),
    [(101, 5, [0, 25, 50, 75, 100]), (5, 5, [0, 1, 2, 3, 4]), (1, 3, [0, 0, 0]), (3, 5, [0, 0, 1, 2, 2])],
)
def test_test_frames_are_equally_spaced_and_repeated_if_too_few(count, wanted, expected):
    assert equal_spacing(count, wanted) == expected


def test_ten_views_are_four_corners_and_the_centre_and_their_mirror_images():
    ten = views(256, 340, 224, 10)
    places = {(top, left) for top, left, _ in ten}
    assert places == {(16, 58), (0, 0), (0, 116), (32, 0), (32, 116)}
    assert len(set(ten)) == 10
    assert views(256, 340, 224, 2) == [(16, 58, False), (16, 58, True)]


def test_a_video_scores_the_mean_of_its_inputs_softmax_scores(tmp_path):
    rng = np.random.default_rng(0)
    with ShardWriter(tmp_path / "0.zip", 95) as writer:
        writer.add_frames("v.avi", rng.integers(0, 256, (9, 64, 80, 3)).astype(np.uint8))
    store = Store([tmp_path / "0.zip"])
    described = Description(
        run=run(), network=network_settings(), crop=56, short_side=64, heads={"h": list("abc")}
    )
    torch.manual_seed(0)
    network = described.build().eval()
    with torch.no_grad():
        network.heads["h"].weight *= 50
    reader = VideoReader(described.run.input, {"frames": store})
    stored = TestVideos(reader, ["v.avi"], 3)[0]
    made = score_video(network, described, stored, "h", 10, torch.device("cpu"))
    expected = []
    mean = np.array([123.7, 116.3, 103.5])[:, None, None]
    for number in (0, 4, 8):
        frame = (store.read("v.avi", [number]).images[0] - mean) / 58
        for top, left, flip in views(64, 80, 56, 10):
            cut = frame[:, top : top + 56, left : left + 56]
            x = torch.tensor((cut[..., ::-1] if flip else cut).copy(), dtype=torch.float32)[None]
            with torch.no_grad():
                expected.append(network({"h": x})["h"].softmax(1)[0].numpy())
    np.testing.assert_allclose(made, np.mean(expected, axis=0), atol=1e-5)
    assert made.sum() == pytest.approx(1, abs=1e-5) and made.max() > 0.34


def test_each_field_is_decoded_once_however_many_inputs_it_is_part_of(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "KEPT_BYTES", 0)
    decoded = Counter()
    decode = Shard._decode

    def counted(self: Shard, row: int, video: int) -> np.ndarray:
        decoded[row] += 1
        return decode(self, row, video)

    monkeypatch.setattr(Shard, "_decode", counted)
    with ShardWriter(tmp_path / "0.zip", 90) as writer:
        fields = np.random.default_rng(0).normal(0, 3, (40, 16, 20, 2)).astype(np.float32)
        writer.add_flow("v.avi", [encode(field, "range") for field in fields])
    what = Input(kind="stacking", length=10)
    images, _ = TestVideos(VideoReader(what, {"flow": Store([tmp_path / "0.zip"])}), ["v.avi"], 25)[0]
    assert images.shape == (25, 10, 2, 16, 20)
    assert decoded == Counter(range(40))

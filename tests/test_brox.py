"""Tests of the Brox optical flow: both backends, against truth that the tests make themselves."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import pairs
from pairs import HEIGHT, WIDTH, Flow, Image, Pair, as_image, smooth_pair, texture, view
from twostream.config.flow import BroxSettings
from twostream.flow import brox_torch
from twostream.flow.brox import level_sizes, resampling_taps
from twostream.flow.brox_numba import brox_flow, flow_between, pyramid
from twostream.flow.brox_torch import batch_size, brox_flow_batch, brox_flow_in_batches

DEFAULT = BroxSettings()


@pytest.fixture(scope="module")
def smooth_pairs() -> list[Pair]:
    return pairs.smooth_pairs()


@pytest.fixture(scope="module")
def layered_pairs() -> list[Pair]:
    return pairs.layered_pairs()


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def with_numba(first: Image, second: Image, settings: BroxSettings = DEFAULT) -> Flow:
    return brox_flow(first, second, settings)


def with_torch(first: Image, second: Image, device: str = "cpu") -> Flow:
    one, two = (torch.from_numpy(image)[None].to(device) for image in (first, second))
    return brox_flow_batch(one, two, DEFAULT)[0].permute(1, 2, 0).cpu().numpy()


def distances(one: Flow, two: Flow) -> Flow:
    return np.hypot(*np.moveaxis(one - two, -1, 0))


def mean_error(method: Callable[[Image, Image], Flow], pairs: list[Pair]) -> float:
    return float(np.mean([distances(method(one, two), flow).mean() for one, two, flow in pairs]))


def tvl1(first: Image, second: Image) -> Flow:
    flow: Flow = cv2.optflow.DualTVL1OpticalFlow_create().calc(first, second, None)  # type: ignore[attr-defined]
    return flow


def farneback(first: Image, second: Image) -> Flow:
    flow = np.zeros((*first.shape, 2), np.float32)
    cv2.calcOpticalFlowFarneback(first, second, flow, 0.5, 3, 15, 3, 5, 1.2, 0)
    return flow


def noise_images(height: int, width: int) -> tuple[Image, Image]:
    images = np.random.default_rng(5).integers(0, 256, (2, height, width)).astype(np.uint8)
    return images[0], images[1]


def letterboxed(image: Image) -> Image:
    return np.pad(image[20:-20], ((20, 20), (0, 0)))


def test_backends_agree(smooth_pairs: list[Pair], layered_pairs: list[Pair]) -> None:
    for first, second, _ in smooth_pairs + layered_pairs:
        apart = distances(with_numba(first, second), with_torch(first, second))
        assert apart.mean() < 1e-3
        assert np.median(apart) < 1e-4


def test_backends_agree_on_settings() -> None:
    first, second, _ = smooth_pair(8, 4, 50, 70)
    settings = BroxSettings(
        alpha=0.4,
        gamma=5.0,
        scale=0.6,
        smallest_side=12,
        inner_iterations=3,
        solver_iterations=4,
        omega=1.5,
    )
    one, two = (torch.from_numpy(image)[None] for image in (first, second))
    flow = with_numba(first, second, settings)
    with_settings = brox_flow_batch(one, two, settings)[0].permute(1, 2, 0).numpy()
    assert distances(flow, with_settings).mean() < 1e-3
    assert distances(flow, with_numba(first, second)).mean() > 1e-2


def test_beats_tvl1_and_farneback_on_smooth_motion(smooth_pairs: list[Pair]) -> None:
    error = mean_error(with_numba, smooth_pairs)
    assert error < 0.05
    assert error < min(mean_error(tvl1, smooth_pairs), mean_error(farneback, smooth_pairs))


def test_beats_tvl1_and_farneback_on_occlusion(layered_pairs: list[Pair]) -> None:
    error = mean_error(with_numba, layered_pairs)
    assert error < 0.3
    assert error < min(mean_error(tvl1, layered_pairs), mean_error(farneback, layered_pairs))


def test_displacement_points_right_and_down() -> None:
    image = texture(np.random.default_rng(1), HEIGHT, WIDTH)
    flow = with_numba(as_image(view(image, 0, 0)), as_image(view(image, -2, -1)))
    assert np.allclose(np.median(flow, axis=(0, 1)), (2, 1), atol=0.02)


@pytest.mark.parametrize("alpha", [0.197 * (1 + 1e-6), 0.197 + 1e-6])
def test_stable_under_small_change_of_alpha(alpha: float, layered_pairs: list[Pair]) -> None:
    noise = noise_images(HEIGHT, WIDTH)
    for first, second in [pair[:2] for pair in layered_pairs] + [noise]:
        changed = with_numba(first, second, BroxSettings(alpha=alpha))
        assert distances(changed, with_numba(first, second)).mean() < 5e-3


@pytest.mark.parametrize("method", [with_numba, with_torch])
def test_identical_frames_give_zero(method: Callable[[Image, Image], Flow]) -> None:
    image = smooth_pair(3, 1)[0]
    flat = [np.full((40, 50), value, np.uint8) for value in (0, 255)]
    for frame in [image, letterboxed(image), noise_images(61, 37)[0], *flat]:
        assert np.abs(method(frame, frame)).max() <= 1e-6


@pytest.mark.parametrize("method", [with_numba, with_torch])
def test_frames_without_correspondence_stay_finite(
    method: Callable[[Image, Image], Flow],
) -> None:
    image = smooth_pair(3, 1)[0]
    black, white = np.zeros_like(image), np.full_like(image, 255)
    checks = np.indices(image.shape).sum(axis=0) % 2 * np.uint8(255)
    checks = checks.astype(np.uint8)
    for first, second in [(black, white), (image, black), (white, image), (checks, 255 - checks)]:
        flow = method(first, second)
        assert np.isfinite(flow).all()
        assert np.abs(flow).max() < 1
    flow = method(*noise_images(HEIGHT, WIDTH))
    assert np.isfinite(flow).all()
    assert np.abs(flow).max() < 40


@pytest.mark.parametrize("method", [with_numba, with_torch])
@pytest.mark.parametrize("size", [(61, 37), (37, 61), (12, 9), (40, 1), (1, 40), (1, 1), (2, 2), (17, 200)])
def test_sizes(method: Callable[[Image, Image], Flow], size: tuple[int, int]) -> None:
    flow = method(*noise_images(*size))
    assert flow.shape == (*size, 2)
    assert flow.dtype == np.float32
    assert np.isfinite(flow).all()
    assert np.abs(flow).max() < 20


def test_odd_size_is_accurate() -> None:
    first, second, flow = smooth_pair(4, 2, 61, 37)
    assert distances(with_numba(first, second), flow).mean() < 0.1


def test_letterboxed_frames() -> None:
    first, second, flow = smooth_pair(0, 3)
    found = with_numba(letterboxed(first), letterboxed(second))
    assert distances(found, flow)[24:-24].mean() < 0.05
    assert np.abs(found).max() < 4


def test_same_input_gives_same_bytes_and_pyramids_can_be_reused() -> None:
    first, second, _ = smooth_pair(6, 5, 61, 90)
    flow = with_numba(first, second).tobytes()
    assert with_numba(first.copy(order="F"), second).tobytes() == flow
    middle = pyramid(second, DEFAULT)
    assert flow_between(pyramid(first, DEFAULT), middle, DEFAULT).tobytes() == flow
    assert (
        flow_between(middle, pyramid(first, DEFAULT), DEFAULT).tobytes()
        == with_numba(second, first).tobytes()
    )


def test_much_faster_than_tvl1() -> None:
    """Far below the usual ratio: what it is to catch is arithmetic that is no longer vectorised."""
    first, second, _ = smooth_pair(7, 5, 240, 320)

    def seconds(method: Callable[[Image, Image], Flow], repetitions: int) -> float:
        times = []
        for _ in range(repetitions):
            start = time.perf_counter()
            method(first, second)
            times.append(time.perf_counter() - start)
        return min(times)

    assert 15 * seconds(with_numba, 10) < seconds(tvl1, 1)


def test_errors() -> None:
    image, other = np.zeros((20, 30), np.uint8), np.zeros((30, 20), np.uint8)
    wrong_images: list[Any] = [np.zeros((20, 30, 3), np.uint8), np.zeros((20, 30), np.float32)]
    for wrong in wrong_images:
        with pytest.raises(ValueError, match="gray uint8"):
            with_numba(image, wrong)
        with pytest.raises(ValueError, match="gray uint8"):
            with_torch(image, wrong)
    for method in (with_numba, with_torch):
        with pytest.raises(ValueError, match="differ in size"):
            method(image, other)
        with pytest.raises(ValueError, match="at least one pixel"):
            method(image[:0], image[:0])
    for name in ("alpha", "scale", "smallest_side", "inner_iterations", "omega"):
        with pytest.raises(ValueError, match=name):
            BroxSettings(**{name: 0})


def test_level_sizes() -> None:
    sizes = level_sizes(240, 320, BroxSettings())
    assert sizes[:3] == [(240, 320), (192, 256), (154, 205)]
    assert min(sizes[-1]) == 16
    assert level_sizes(12, 9, BroxSettings()) == [(12, 9)]
    assert level_sizes(2, 2, BroxSettings(smallest_side=1, scale=0.99)) == [(2, 2)]


@pytest.mark.parametrize(("size_in", "size_out"), [(320, 256), (27, 21), (21, 27), (5, 5), (1, 4)])
def test_resampling_keeps_constants_and_ramps(size_in: int, size_out: int) -> None:
    start, weights = resampling_taps(size_in, size_out)
    index = start[:, None] + np.arange(weights.shape[1])
    assert index.min() >= 0
    assert index.max() < size_in
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-6)
    ramp = (weights * (index + 0.5)).sum(axis=1) * size_out / size_in
    inner = slice(2, -2)
    assert np.allclose(ramp[inner], np.arange(size_out)[inner] + 0.5, atol=0.15)


def batch_of_pairs() -> tuple[torch.Tensor, torch.Tensor]:
    pairs = [smooth_pair(seed, 2, 30, 40) for seed in range(5)]
    first, second = (np.stack([pair[i] for pair in pairs]) for i in (0, 1))
    return torch.from_numpy(first), torch.from_numpy(second)


def test_pairs_of_a_batch_are_independent() -> None:
    first, second = batch_of_pairs()
    flow = brox_flow_batch(first, second, DEFAULT)
    assert flow.shape == (5, 2, 30, 40)
    for pair in range(5):
        alone = brox_flow_batch(first[pair : pair + 1], second[pair : pair + 1], DEFAULT)
        assert torch.allclose(flow[pair], alone[0], atol=1e-4)


def test_batch_is_halved_when_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = batch_of_pairs()
    expected = brox_flow_batch(first, second, DEFAULT)
    tried = []

    def small(first: torch.Tensor, second: torch.Tensor, settings: BroxSettings) -> torch.Tensor:
        tried.append(len(first))
        if len(first) > 2:
            raise torch.OutOfMemoryError
        return brox_flow_batch(first, second, settings)

    monkeypatch.setattr(brox_torch, "batch_size", lambda *_: 64)
    monkeypatch.setattr(brox_torch, "brox_flow_batch", small)
    assert torch.allclose(brox_flow_in_batches(first, second, DEFAULT), expected, atol=1e-4)
    assert tried == [5, 2, 2, 1]


def test_out_of_memory_for_one_pair_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> torch.Tensor:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(brox_torch, "brox_flow_batch", never)
    with pytest.raises(torch.OutOfMemoryError):
        brox_flow_in_batches(*batch_of_pairs(), DEFAULT)


def test_batch_size_follows_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (3 * 10**9, 8 * 10**9))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 2 * 10**9)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 10**9)
    assert batch_size(240, 320, "cuda") == int(0.8 * 4e9 / (400 * 240 * 320))
    assert batch_size(10**5, 10**5, "cuda") == 1
    assert batch_size(240, 320, "cpu") == 1


@pytest.fixture
def interpreted_triton(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The Triton half-sweep under Triton's interpreter, which runs on the CPU."""
    pytest.importorskip("triton")
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.delitem(sys.modules, "twostream.flow.brox_triton", raising=False)
    module = importlib.import_module("twostream.flow.brox_triton")
    monkeypatch.setitem(sys.modules, "twostream.flow.brox_triton", module)
    return module


@pytest.mark.parametrize("size", [(37, 61), (16, 32), (5, 1), (1, 4), (1, 1)])
def test_triton_half_sweep(interpreted_triton: ModuleType, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    flow, system = torch.randn(3, 2, *size), torch.rand(3, 7, *size) + 0.1
    system[:, 0, :, -1] = system[:, 1, -1] = 0
    expected = flow.clone()
    for colour in (0, 1):
        brox_torch.half_sweep_eager(expected, system, colour, 1.95)
        interpreted_triton.half_sweep(flow, system, colour, 1.95)
        assert torch.allclose(flow, expected, atol=1e-4)


def test_triton_grid_holds_a_batch_of_many_small_fields(interpreted_triton: ModuleType, monkeypatch) -> None:
    """A GPU takes 2,147,483,647 blocks along a grid's first axis, and 65,535 along the others."""
    grids = []

    class Kernel:
        def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., None]:
            grids.append(grid)
            return lambda *_, **__: None

    monkeypatch.setattr(interpreted_triton, "_half_sweep_kernel", Kernel())
    interpreted_triton.half_sweep(torch.zeros(1).expand(70_000, 2, 64, 64), torch.zeros(1), 0, 1.95)
    assert grids == [(70_000 * 64 * 32 // 256,)]


@pytest.mark.parametrize("capability", [75, 80, 90])
def test_triton_half_sweep_compiles_for_gpus(capability: int, tmp_path, monkeypatch) -> None:
    """Down to a GPU's own code, by the compilers that come with Triton; a GPU is needed to run it alone."""
    triton = pytest.importorskip("triton")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.delitem(sys.modules, "twostream.flow.brox_triton", raising=False)
    kernel = importlib.import_module("twostream.flow.brox_triton")._half_sweep_kernel
    types = {"flow": "*fp32", "system": "*fp32", "omega": "fp32", "block": "constexpr"}
    signature = {name: types.get(name, "i32") for name in kernel.arg_names}
    source = ASTSource(kernel, signature, constexprs={"block": 256})
    compiled = triton.compile(source, target=GPUTarget("cuda", capability, 32))
    assert len(compiled.asm["cubin"]) > 1000


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_numba(smooth_pairs: list[Pair], layered_pairs: list[Pair]) -> None:
    for first, second, _ in smooth_pairs + layered_pairs:
        apart = distances(with_numba(first, second), with_torch(first, second, "cuda"))
        assert apart.mean() < 1e-3
        assert np.median(apart) < 1e-4
    first, second, _ = smooth_pairs[0]
    one, two = (torch.from_numpy(image).expand(9, -1, -1) for image in (first, second))
    flow = brox_flow_in_batches(one, two, DEFAULT, "cuda")
    assert flow.shape == (9, 2, HEIGHT, WIDTH)
    assert flow.device.type == "cpu"

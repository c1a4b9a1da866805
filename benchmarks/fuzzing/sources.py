"""Ten small videos to damage, each in a container of its own, the same bytes for the same seed."""

from pathlib import Path

import av
import cv2
import numpy as np

FRAMES, HEIGHT, WIDTH, RATE = 12, 96, 128, 25
# Container by suffix: FFmpeg's name for it, and the codec of the video in it.
CONTAINERS = {
    ".avi": ("avi", "mpeg4"),
    ".mp4": ("mp4", "libx264"),
    ".mkv": ("matroska", "libx264"),
    ".mov": ("mov", "mjpeg"),
    ".webm": ("webm", "libvpx"),
    ".ts": ("mpegts", "mpeg2video"),
    ".flv": ("flv", "flv"),
    ".gif": ("gif", "gif"),
    ".3gp": ("3gp", "h263"),
    ".mpg": ("mpeg", "mpeg1video"),
}
STORED = {"mjpeg": "yuvj420p", "gif": "rgb8"}
# In B-frames order of coding is not that of showing; short groups of pictures, so that damage heals.
OPTIONS = {
    "libx264": {"preset": "fast", "g": "6", "bf": "2", "qp": "30"},
    "libvpx": {"g": "6", "deadline": "realtime", "b": "300k"},
    "gif": {},
    "mjpeg": {"q": "8"},
}


def write_sources(folder: Path, seed: int) -> list[Path]:
    """Write the ten videos; return their files, in the order of CONTAINERS."""
    return [write_source(folder / f"source{suffix}", seed + n) for n, suffix in enumerate(CONTAINERS)]


def write_source(file: Path, seed: int) -> Path:
    """Write a video of a texture that moves, in the container that the file's suffix says."""
    form, codec = CONTAINERS[file.suffix]
    file.parent.mkdir(parents=True, exist_ok=True)
    # Without the flag Matroska has a number drawn at random in it.
    with av.open(str(file), "w", format=form, container_options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=RATE, options=OPTIONS.get(codec, {"g": "6"}))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, STORED.get(codec, "yuv420p")
        stream.codec_context.thread_count = 1
        for picture in moving(seed):
            frame = av.VideoFrame.from_ndarray(picture, "bgr24")
            container.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode(None))
    return file


def moving(seed: int) -> list[np.ndarray]:
    """Pictures, uint8 [height, width, 3], of a texture that moves two pixels to the right in each."""
    noise = np.random.default_rng(seed).normal(0, 60, (HEIGHT, WIDTH + 2 * FRAMES, 3))
    wide = np.clip(cv2.GaussianBlur(noise, (0, 0), 3) * 7 + 128, 0, 255).astype(np.uint8)
    starts = [2 * (FRAMES - t) for t in range(FRAMES)]
    return [np.ascontiguousarray(wide[:, start : start + WIDTH]) for start in starts]

"""Videos that tell their frames apart: frame k is grey of the level 10 k, shown at a time that is given."""

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from twostream.videos.decoding import read_frames

MILLISECOND = Fraction(1, 1000)


def write_levels(
    path: Path,
    times: Sequence[int],
    codec: str = "ffv1",
    stored: str = "gray",
    sound_from: int | None = None,
    in_order_of_coding: bool = False,
    **options: str,
) -> Path:
    """Write a frame at each of the times (ms), 64 x 48; and a sound that begins at `sound_from` (ms).

    With `in_order_of_coding`, frames bear times in the order in which they are coded, as in AVI.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    packets = []
    with av.open(os.fspath(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, stored
        stream.codec_context.time_base = MILLISECOND
        sound = (
            container.add_stream("pcm_s16le", rate=8000, layout="mono") if sound_from is not None else None
        )
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64), 10 * number, np.uint8), "gray")
            if stored != "gray":
                frame = frame.reformat(format=stored)
            frame.pts, frame.time_base = time, MILLISECOND
            packets += stream.encode(frame)
        packets += stream.encode(None)
        if in_order_of_coding:
            for packet, time in zip(packets, times, strict=True):
                packet.pts = packet.dts = time
        if sound:
            heard = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
            heard.sample_rate, heard.pts, heard.time_base = 8000, sound_from, MILLISECOND
            packets = [*sound.encode(heard), *packets]
        container.mux(packets)
    return path


def levels(video: Path | str) -> list[int]:
    """Which frames a video has, by their levels."""
    return [round(float(frame.mean()) / 10) for frame in read_frames(video)]

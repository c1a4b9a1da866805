"""Videos of all kinds, written here by PyAV, against the pictures that they were made of."""

import hashlib
import os
import shutil
from fractions import Fraction
from pathlib import Path

import av
import av.logging
import cv2
import numpy as np
import pytest
from conftest import zero_frame

from twostream.videos.conversion import Conversion
from twostream.videos.decoding import BadVideoError, announced, frame_rate, read_frames, why_unusable

RATE = 25
# What keeps every value: the codec, and how it stores colours.
LOSSLESS = {
    ".avi": ("png", "rgb24"),
    ".mov": ("png", "rgb24"),
    ".mkv": ("ffv1", "bgr0"),
    ".mp4": ("libx264rgb", "bgr24"),
}


def drawn(count: int = 6, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Pictures, uint8 [height, width, 3], of a bright bar that moves over dark stripes."""
    stripes = np.arange(width) // 8 % 2 * 40 + 20
    pictures = []
    for t in range(count):
        row = stripes.copy()
        row[4 + 6 * t : 16 + 6 * t] = 220
        pictures.append(np.repeat(row.astype(np.uint8), 3).reshape(1, width, 3).repeat(height, axis=0))
    return pictures


def woven() -> list[np.ndarray]:
    """Pictures whose odd rows, the second field, are a moment later than the even ones."""
    moments = drawn(8)
    for first, second in zip(moments[::2], moments[1::2], strict=True):
        first[1::2] = second[1::2]
    return moments[::2]


def write(
    path: Path,
    frames: list[np.ndarray],
    codec: str = "",
    stored: str = "",
    *,
    given: str = "bgr24",
    options: dict[str, str] | None = None,
    tags: dict[str, int] | None = None,
    rotation: tuple[int, bool] | None = None,
    times: list[int] | None = None,
    title: str = "",
) -> Path:
    """Write a video; `given` is the form of the arrays, `times` are the frames' in milliseconds.

    Without a codec, every value is kept.
    """
    if not codec:
        codec, stored = LOSSLESS[path.suffix]
    with av.open(os.fspath(path), "w", format="avi" if path.suffix == ".avi" else None) as container:
        container.metadata["title"] = title
        stream = container.add_stream(codec, rate=RATE, options=options or {"qp": "0"})
        pictures = [av.VideoFrame.from_ndarray(frame, given) for frame in frames]
        stream.width, stream.height, stream.pix_fmt = pictures[0].width, pictures[0].height, stored
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        if rotation:
            stream.set_display_rotation(rotation[0], hflip=rotation[1])
        step = Fraction(1, 1000) if times else Fraction(1, RATE)
        stream.codec_context.time_base = step
        for number, picture in enumerate(pictures):
            picture.pts, picture.time_base = times[number] if times else number, step
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def noise(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, width, 3), np.uint8) for _ in range(count)]


def told(path: Path) -> str:
    """What is told of damage as a video is read; empty if nothing is."""
    found: list[str] = []
    assert list(read_frames(path, damaged=found.append))
    return "".join(found)


def assert_equal(path: Path, pictures: list[np.ndarray]) -> None:
    frames = list(read_frames(path))
    assert len(frames) == len(pictures)
    for frame, picture in zip(frames, pictures, strict=True):
        assert frame.dtype == np.uint8 and (frame == picture).all()


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.avi", "mpeg4", {"flags": "+ildct+ilme+qscale", "global_quality": "118"}),
        ("a.mpg", "mpeg2video", {"flags": "+ildct+ilme+qscale", "global_quality": "118"}),
        ("a.mp4", "libx264", {"qp": "0", "x264-params": "tff=1"}),
    ],
)
def test_interlaced_video_gives_its_frames_with_both_fields(tmp_path, name, codec, options):
    write(tmp_path / name, woven(), codec, "yuv420p", options=options)
    frames = list(read_frames(tmp_path / name))
    assert len(frames) == 4
    for frame, picture in zip(frames, woven(), strict=True):
        # In luma alone, as grey is stored at full resolution; the two fields are 150 apart at the bar.
        assert np.abs(frame.mean(axis=2) - picture.mean(axis=2)).mean() < 3


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_video_is_upright_by_its_tag(tmp_path, suffix, degrees, mirrored):
    pictures = [np.random.default_rng(t).integers(0, 256, (16, 24, 3), np.uint8) for t in range(2)]
    file = write(tmp_path / f"a{suffix}", pictures, rotation=(degrees, mirrored))
    turned = [np.rot90(picture, degrees // 90) for picture in pictures]
    assert_equal(file, [picture[:, ::-1] if mirrored else picture for picture in turned])


def rgb(y: float, u: float, v: float, red: float, blue: float, full: bool) -> list[float]:
    """Red, green and blue by the standards' formula; `red` and `blue` are their weights in luma."""
    luma, chroma = (y / 255, 255) if full else ((y - 16) / 219, 224)
    cb, cr = (u - 128) / chroma, (v - 128) / chroma
    r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
    return [255 * r, 255 * (luma - red * r - blue * b) / (1 - red - blue), 255 * b]


BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)


@pytest.mark.parametrize(
    ("tags", "weights", "full"),
    [
        ({}, BT601, False),
        ({"colorspace": 6}, BT601, False),
        ({"colorspace": 1}, BT709, False),
        ({"colorspace": 1, "color_range": 2}, BT709, True),
        ({"colorspace": 9}, BT2020, False),
        ({"color_range": 2}, BT601, True),
        # The second of these FFmpeg cannot convert from; it counts as untagged.
        ({"colorspace": 7, "color_range": 1}, (0.212, 0.087), False),
        ({"colorspace": 10}, BT601, False),
    ],
)
@pytest.mark.parametrize("bits", [8, 10])
def test_colours_are_by_the_tags_of_the_video(tmp_path, tags, weights, full, bits):
    y, u, v = 120, 90, 160
    planes = np.full((48, 32), y, np.uint16)
    planes[32:40], planes[40:] = u, v
    stored = "yuv420p" if bits == 8 else "yuv420p10le"
    planes = planes.astype(np.uint8) if bits == 8 else planes * 4
    file = write(tmp_path / "a.mkv", [planes] * 2, "ffv1", stored, given=stored, tags=tags)
    blue, green, red = np.stack(list(read_frames(file))).transpose(3, 0, 1, 2)
    for shown, expected in zip((red, green, blue), rgb(y, u, v, *weights, full), strict=True):
        np.testing.assert_allclose(shown, expected, atol=1.01)


def test_conversion_gives_the_same_bytes_on_every_processor():
    """The digest is that of FFmpeg's code for any processor, and of that for SSE 4, AVX2 and AVX-512."""
    digest = hashlib.sha256()
    for form, rows, dtype, values in (("yuv420p", 81, np.uint8, 256), ("yuv420p10le", 81, np.uint16, 1024)):
        planes = np.random.default_rng(0).integers(0, values, (rows, 70), dtype)
        frame = av.VideoFrame.from_ndarray(planes, form)
        digest.update(Conversion.like(frame).picture(frame).tobytes())
    assert digest.hexdigest()[:16] == "0f754a6f86faa424"


def test_frames_of_another_size_get_that_of_the_first():
    first, other = (
        av.VideoFrame.from_ndarray(np.full((h, w, 3), 90, np.uint8), "bgr24") for h, w in ((9, 7), (5, 8))
    )
    picture = Conversion.like(first).picture(other)
    assert picture.shape == (9, 7, 3) and (picture == 90).all()


@pytest.mark.parametrize(("height", "width"), [(47, 63), (5, 7), (48, 62)])
def test_odd_sizes(tmp_path, height, width):
    pictures = [np.random.default_rng(t).integers(0, 256, (height, width, 3), np.uint8) for t in range(2)]
    assert_equal(write(tmp_path / "a.avi", pictures), pictures)


def test_transparency_is_dropped_and_grey_is_grey(tmp_path):
    rgba = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 4), np.uint8)
    assert_equal(write(tmp_path / "a.mov", list(rgba), "png", "rgba", given="rgba"), list(rgba[..., 2::-1]))
    grey = rgba[..., 0]
    file = write(tmp_path / "b.mkv", list(grey), "ffv1", "gray", given="gray")
    assert_equal(file, list(grey[..., None].repeat(3, axis=3)))


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".avi"])
def test_each_frame_is_had_once_however_long_it_is_shown(tmp_path, suffix):
    # AVI has no times: there, a frame is shown for so many empty chunks more.
    file = write(tmp_path / f"a{suffix}", drawn(6), times=[0, 40, 90, 500, 510, 1000])
    assert_equal(file, drawn(6))


def test_what_comes_before_a_cut_and_around_damage_is_used(tmp_path):
    file = write(tmp_path / "a.avi", drawn(6), "mjpeg", "yuvj420p")
    whole, content = list(read_frames(file)), file.read_bytes()
    starts = [n for n in range(content.index(b"movi"), len(content)) if content.startswith(b"00dc", n)]
    file.write_bytes(content[: starts[4] + 20])
    assert_equal(file, whole[:4])
    assert announced(file).frames == 6
    assert "frames: 4 of 6 announced" in told(file)
    file.write_bytes(content)
    assert told(file) == ""
    zero_frame(file, 2)
    assert_equal(file, [*whole[:2], *whole[3:]])
    assert told(file).startswith("packets passed over: 1; frames: 5 of 6 announced; FFmpeg says: ")


def test_what_only_ffmpegs_log_says_is_told_of_each_video(tmp_path):
    # Matroska announces no number of frames, and its reader ends at a cut as at an end.
    file = write(tmp_path / "a.mkv", drawn(6))
    content = file.read_bytes()
    level = av.logging.get_level()
    assert told(file) == ""
    file.write_bytes(content[: len(content) * 2 // 3])
    other = Path(shutil.copy(file, tmp_path / "b.mkv"))
    assert told(file) == told(other) == "FFmpeg says: File ended prematurely"
    assert av.logging.get_level() == level


def test_frames_that_ffmpeg_had_to_make_up_are_told(tmp_path):
    file = write(tmp_path / "a.avi", noise(6), "mpeg4", "yuv420p", options={"g": "6"})
    content = bytearray(file.read_bytes())
    starts = [n for n in range(content.index(b"movi"), len(content)) if content.startswith(b"00dc", n)]
    middle = (starts[3] + starts[4]) // 2
    content[middle : middle + 200] = bytes(200)
    file.write_bytes(content)
    assert len(list(read_frames(file))) == 6
    assert told(file).startswith("marked as damaged: 1; FFmpeg says: ")


def test_a_file_that_breaks_off_ends_there_wherever_that_is(tmp_path):
    # In this container, a cut in some places is an error and not the end; and FFmpeg looks for its index.
    file = write(tmp_path / "a.nut", drawn(8), "mpeg4", "yuv420p")
    whole, content = list(read_frames(file)), file.read_bytes()
    for cut in range(len(content) // 2, len(content), 9):
        file.write_bytes(content[:cut])
        # The last one may be cut itself.
        *before, _ = read_frames(file)
        assert all((frame == picture).all() for frame, picture in zip(before, whole, strict=False))


def test_frames_behind_an_empty_one_are_used(tmp_path):
    file = write(tmp_path / "a.mov", drawn(6))
    content = bytearray(file.read_bytes())
    # The table of the frames' sizes, and the box with the frames, one after another.
    table, frames = content.index(b"stsz") + 16, content.index(b"mdat") + 4
    sizes = np.frombuffer(content[table : table + 24], ">u4")
    content[table + 8 : table + 12] = bytes(4)
    content[frames - 8 : frames - 4] = int(8 + sizes.sum() - sizes[2]).to_bytes(4, "big")
    del content[frames + sizes[:2].sum() : frames + sizes[:3].sum()]
    file.write_bytes(content)
    assert_equal(file, [*drawn(2), *drawn(6)[3:]])


@pytest.mark.parametrize(
    "name",
    ["a_%03d.avi", "c:olon.avi", "http:a.avi", "-dash.avi", " sp ace [1]{2}?.avi", "ü→.avi", b"L\xfcft.avi"],
)
def test_a_name_is_just_a_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write(Path("a_001.avi"), drawn(3))
    file = Path(os.fsdecode(name))
    write(Path("b.avi"), drawn(4)).rename(file)
    assert_equal(file, drawn(4))
    assert why_unusable(file) is None


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile b.avi\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nb.ts\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_playlist_is_refused(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    write(Path("b.avi"), drawn())
    write(Path("b.ts"), drawn(), "mpeg2video", "yuv420p")
    Path("a.avi").write_text(text)
    Path("a.m3u8").write_text(text)
    for name in ("a.avi", "a.m3u8"):
        with pytest.raises(BadVideoError, match=f"^{name}: no frame can be decoded: "):
            list(read_frames(name))


def test_why_nothing_can_be_decoded_is_said_in_ffmpegs_words(tmp_path):
    (tmp_path / "a.avi").write_text("no video")
    reason = "no frame can be decoded: Invalid data found when processing input"
    assert why_unusable(tmp_path / "a.avi") == reason
    with pytest.raises(BadVideoError, match=rf"a\.avi: {reason}"):
        list(read_frames(tmp_path / "a.avi"))
    with av.open(tmp_path / "b.wav", "w") as container:
        sound = container.add_stream("pcm_s16le", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        silence.sample_rate = 8000
        container.mux(sound.encode(silence))
    assert why_unusable(tmp_path / "b.wav") == "no frame can be decoded: it has no video stream"


def test_a_title_in_another_character_set_is_no_matter(tmp_path):
    file = write(tmp_path / "a.avi", drawn(), title="Gruesse")
    content = file.read_bytes()
    assert b"Gruesse" in content
    file.write_bytes(content.replace(b"Gruesse", b"Gr\xfc\xdfe  "))
    assert_equal(file, drawn())


def test_what_a_container_announces(tmp_path):
    file = write(tmp_path / "a.avi", drawn(6))
    said = announced(file)
    assert (said.frames, said.height, said.width, said.likely_frames) == (6, 48, 64, 6)
    assert said.pixels() == 6 * 48 * 64 and said.pixels(24) == 6 * 24 * 32
    assert frame_rate(file) == 25
    # Matroska has no count, but a duration.
    said = announced(write(tmp_path / "a.mkv", drawn(6)))
    assert said.frames == 0 and said.likely_frames == pytest.approx(6, abs=1)
    (tmp_path / "b.avi").write_text("no video")
    assert announced(tmp_path / "b.avi").pixels() == 0 == frame_rate(tmp_path / "b.avi")


def test_a_header_that_lies_is_not_believed_beyond_the_files_size(tmp_path):
    file = write(tmp_path / "a.avi", drawn(6))
    content = bytearray(file.read_bytes())
    # The number of frames is the ninth field of the stream's header.
    place = content.index(b"vids") + 32
    assert content[place : place + 4] == (6).to_bytes(4, "little")
    content[place : place + 4] = (200_000_000).to_bytes(4, "little")
    file.write_bytes(content)
    assert announced(file).frames == 200_000_000
    assert announced(file).likely_frames < len(content)


def sized(path: Path, width: int, height: int) -> Path:
    """A GIF whose header says this size."""
    write(path, drawn(), "gif", "rgb8")
    content = bytearray(path.read_bytes())
    assert content[6:10] == (64).to_bytes(2, "little") + (48).to_bytes(2, "little")
    content[6:10] = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("width", "height"), [(9000, 9000), (20000, 1000), (64, 3000), (3000, 64)])
def test_a_size_that_no_picture_has_is_refused_and_not_made_room_for(tmp_path, width, height):
    file = sized(tmp_path / "a.gif", width, height)
    said = f"its pictures are said to have {width:,} x {height:,} pixels; at most"
    assert said in why_unusable(file)
    with pytest.raises(BadVideoError, match=rf"a\.gif: no frame can be decoded: {said}"):
        list(read_frames(file))


def test_a_picture_of_8k_is_read(tmp_path):
    assert next(read_frames(sized(tmp_path / "a.gif", 7680, 4320))).shape == (4320, 7680, 3)


def test_a_picture_amid_a_video_that_would_take_all_memory_is_passed_over_and_told(tmp_path):
    sizes = [(64, 48), (64, 48), (9000, 9000), (64, 48)]
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number, (width, height) in enumerate(sizes):
            packet = av.Packet(cv2.imencode(".jpg", np.full((height, width, 3), 90, np.uint8))[1].tobytes())
            packet.stream, packet.pts, packet.dts = stream, 40 * number, 40 * number
            container.mux(packet)
    assert len(list(read_frames(tmp_path / "a.mkv"))) == 3
    assert told(tmp_path / "a.mkv").startswith("packets passed over: 1; FFmpeg says: Picture size 9000x9000")

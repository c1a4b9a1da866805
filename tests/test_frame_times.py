"""When frames are shown, by files of all kinds."""

from fractions import Fraction

import pytest
from drawn_levels import levels, write_levels

from twostream.videos.frame_times import TimelessError, end_of, frame_times
from twostream.videos.video_file import UnreadableError, opened

EVERY_40 = [40 * number for number in range(20)]
UNEVEN = [0, 10, 47, 50, 200, 201, 205, 900, 950]


def seconds(milliseconds: list[int]) -> list[Fraction]:
    return [Fraction(number, 1000) for number in milliseconds]


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.mov"])
@pytest.mark.parametrize("times", [EVERY_40, UNEVEN])
def test_times_are_exact_whatever_the_frame_rate(tmp_path, name, times):
    codec = ("ffv1", "gray") if name == "a.mkv" else ("libx264", "yuv420p")
    found = frame_times(write_levels(tmp_path / name, times, *codec))
    assert found == seconds(times) and all(isinstance(time, Fraction) for time in found)


def test_the_last_frame_is_shown_as_long_as_the_one_before():
    assert end_of(seconds([0, 40, 90])) == Fraction(140, 1000) and end_of([Fraction(0)]) == 0


def test_times_are_counted_from_where_the_first_stream_begins(tmp_path):
    late = [time + 5000 for time in EVERY_40]
    assert frame_times(write_levels(tmp_path / "a.mkv", late)) == seconds(EVERY_40)
    # Sound that is heard before the first picture is shown.
    found = frame_times(write_levels(tmp_path / "b.mkv", late, sound_from=4700))
    assert found == [time + Fraction(300, 1000) for time in seconds(EVERY_40)]


def test_frames_that_bear_each_others_times_are_shown_in_their_order(tmp_path):
    coded = {"codec": "libx264", "stored": "yuv420p", "qp": "4", "bf": "2", "b_strategy": "0"}
    file = write_levels(tmp_path / "a.mkv", EVERY_40, in_order_of_coding=True, **coded)
    with opened(file) as video:
        borne = [frame.pts for frame in video.frames()]
    assert borne != sorted(borne) and sorted(borne) == EVERY_40
    assert levels(file) == list(range(20)) and frame_times(file) == seconds(EVERY_40)


def test_what_has_no_times_is_told(tmp_path):
    file = write_levels(tmp_path / "a.h264", EVERY_40, "libx264", "yuv420p")
    with pytest.raises(TimelessError, match=r"20 of its 20 frames have no time.*-c:v copy"):
        frame_times(file)


def test_what_was_joined_of_several_is_told(tmp_path):
    file = write_levels(tmp_path / "a.ts", EVERY_40, "libx264", "yuv420p")
    assert frame_times(file) == seconds(EVERY_40)
    file.write_bytes(2 * file.read_bytes())
    with pytest.raises(TimelessError, match="its times begin anew"):
        frame_times(file)


def test_what_is_no_video_is_told(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(UnreadableError, match="no frame can be decoded"):
        frame_times(tmp_path / "a.mp4")

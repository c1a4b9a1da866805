"""The fuzzer: damaged copies are handled well, and what is not handled well does not get past it."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import fuzz_videos
import numpy as np
import pytest
from fuzz_videos import damaged_copy, fuzz, report

from fuzzing import judging
from fuzzing.counting import FFmpegSays, count_frames
from fuzzing.judging import FAILURES, REFUSED, SILENT, TOLD, UNCLEAR, UNNOTICED, WELL, WHOLE, judge
from fuzzing.mutations import MUTATIONS
from fuzzing.process import Ended, Watched
from fuzzing.seen import Call, Seen
from fuzzing.sources import CONTAINERS, FRAMES, write_source, write_sources
from twostream.videos.decoding import read_frames


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> list[Path]:
    return write_sources(tmp_path_factory.mktemp("sources"), 17)


def test_there_are_ten_whole_videos_the_same_for_the_same_seed(sources, tmp_path):
    assert [file.suffix for file in sources] == list(CONTAINERS) and len(set(CONTAINERS)) == 10
    for first, second in zip(sources, write_sources(tmp_path, 17), strict=True):
        said = count_frames(first)
        assert said.frames == FRAMES and said.announced in (0, FRAMES) and not said.complaints
        assert first.read_bytes() == second.read_bytes()


def test_a_copy_is_the_same_for_the_same_seed_and_number(sources):
    copies = [damaged_copy(sources, 17, number) for number in range(40)]
    assert [copy.content for copy in copies] == [damaged_copy(sources, 17, n).content for n in range(40)]
    assert damaged_copy(sources, 18, 3).content != copies[3].content
    assert {name for copy in copies for name in copy.done} == {mutation.__name__ for mutation in MUTATIONS}
    whole = sources[0].read_bytes()
    assert sum(copy.content == copy.source.read_bytes() for copy in copies) <= 2
    assert whole == sources[0].read_bytes()


@pytest.mark.parametrize("mutation", MUTATIONS[:-1], ids=lambda mutation: mutation.__name__)
@pytest.mark.parametrize("size", [1, 2, 300])
def test_each_mutation_changes_files_of_any_size(mutation, size):
    whole = bytes(n % 251 for n in range(size))
    changed = 0
    for seed in range(20):
        content = bytearray(whole)
        mutation(content, np.random.default_rng(seed))
        changed += bytes(content) != whole
    # Of a file of a byte or two little can be cut or moved.
    assert changed >= (15 if size == 300 else 0)


def test_a_packet_that_claims_too_large_a_picture_is_counted_by_nobody(sources, tmp_path):
    # Found in an hour: one packet of this copy says 26,161 x 1,944 pixels.
    video = tmp_path / "a.flv"
    video.write_bytes(damaged_copy(sources, 17, 12206).content)
    assert count_frames(video).frames == len(list(read_frames(video))) == FRAMES - 1


def test_damaged_copies_are_handled_well(sources, tmp_path):
    counts = fuzz(sources, 17, range(10), tmp_path, tmp_path / "kept")
    assert set(counts) == set(CONTAINERS) and all(found.total() == 1 for found in counts.values())
    assert not any(counts[kind][failure] for kind in counts for failure in FAILURES)
    assert sum((found[TOLD] for found in counts.values()), 0) > 0
    assert not (tmp_path / "kept").exists()
    *_, last = report(counts)
    assert last.startswith("| all | 10 | ")


# Bytes, fewer than would count as a failure.
TAKEN = 200 << 20


def well() -> Seen:
    """What is seen of a video that is handled well."""
    calls = {"index": Call(), "extract": Call(frames=FRAMES), "classify": Call(frames=FRAMES)}
    return Seen(calls, FFmpegSays(FRAMES, FRAMES))


def handled_badly(scratch: Path) -> Callable[[Path], Seen]:
    """In the fuzzer's process: each copy is handled badly in a way of its own, but for those above 5."""

    def handler(video: Path) -> Seen:
        number, seen = int(video.stem.removeprefix("copy")), well()
        if number == 0:
            os.kill(os.getpid(), signal.SIGSEGV)
        elif number == 1:
            time.sleep(600)
        elif number == 2:
            # Written to, and given back.
            len(b"x" * TAKEN)
        elif number == 3:
            seen.calls["extract"].frames = FRAMES - 1
        elif number == 4:
            seen.calls["classify"].crashed = "Traceback:\nKeyError: 1"
        elif number == 5:
            while True:
                pass
        return seen

    return handler


def test_what_is_handled_badly_is_noticed_and_kept(sources, tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    monkeypatch.setattr(judging, "MOST_MEMORY", TAKEN * 3 // 4)
    counts = fuzz(sources, 17, range(7), tmp_path, kept, handled_badly, limit_s=1)
    assert [counts[suffix].most_common(1)[0][0] for suffix in list(CONTAINERS)[:7]] == [
        *("crash", "hang", "memory", "silent count", "traceback", "hang", "read whole")
    ]
    assert sorted(str(file.relative_to(kept)) for file in kept.rglob("what.json")) == [
        "crash/000000.avi/what.json",
        "hang/000001.mp4/what.json",
        "hang/000005.ts/what.json",
        "memory/000002.mkv/what.json",
        "silent-count/000003.mov/what.json",
        "traceback/000004.webm/what.json",
    ]
    assert "SIGSEGV" in (kept / "crash/000000.avi/what.json").read_text()
    assert (kept / "hang/000001.mp4/copy.mp4").read_bytes() == damaged_copy(sources, 17, 1).content


def a_packet_is_lost(scratch: Path) -> Callable[[Path], Seen]:
    """In the fuzzer's process: users of a project that drops a packet without a word."""
    from twostream.videos.video_file import VideoFile

    handler = fuzz_videos.users(scratch)
    packets = VideoFile._packets

    def fewer(self: VideoFile) -> object:
        return (packet for number, packet in enumerate(packets(self)) if number != 4)

    VideoFile._packets = fewer  # type: ignore[assignment,method-assign]
    return handler


def test_a_frame_that_the_project_loses_is_noticed(tmp_path):
    # Each of its frames is coded by itself.
    video = write_source(tmp_path / "a.mov", 17)
    watched = Watched(a_packet_is_lost, tmp_path, fuzz_videos.HANGS_AFTER)
    try:
        judgement = judge(watched.handle(video), video.name, FRAMES)
    finally:
        watched.close()
    # Seen from the frames alone, as the project does tell that fewer are there than announced.
    counts = {"extract": FRAMES - 1, "classify": FRAMES - 1, "FFmpeg": FRAMES}
    assert (judgement.outcome, judgement.why) == (SILENT, f"frames: {counts}")


def refused(name: str = "a.avi", said: str = "it has only 1 frame") -> Call:
    return Call(refused=f"error: {name}: {said}")


TELLS = Call("a.avi: is damaged, and so on", frames=9, recorded="frames: 9 of 12")


@pytest.mark.parametrize(
    ("index", "extract", "classify", "ffmpeg", "outcome"),
    [
        (Call(), Call(frames=12), Call(frames=12), FFmpegSays(12, 12), WHOLE),
        (Call(), TELLS, TELLS, FFmpegSays(9, 12), TOLD),
        (Call(), Call(frames=9), Call(frames=9), FFmpegSays(9, 0), UNNOTICED),
        (Call(), Call(frames=9), Call(frames=9), FFmpegSays(9, 12), SILENT),
        (Call(), Call(frames=9), Call(frames=9), FFmpegSays(9, 0, ["decoding"]), SILENT),
        (Call(), Call(frames=12), Call(frames=12), FFmpegSays(12, 12, ["marked"]), SILENT),
        (Call(), TELLS, Call(frames=9), FFmpegSays(9, 12), SILENT),
        (Call(), Call(TELLS.printed, frames=9), TELLS, FFmpegSays(9, 12), SILENT),
        (Call(), Call(frames=12), Call(frames=11), FFmpegSays(12, 12), SILENT),
        (refused(), refused(), refused(), FFmpegSays(1, 12), REFUSED),
        (refused(), refused(), Call(frames=12), FFmpegSays(12, 12), SILENT),
        (refused(), refused(), refused(), FFmpegSays(12, 12), UNCLEAR),
        (refused(), refused(), refused(name="b.avi"), FFmpegSays(1), UNCLEAR),
        (*[refused(said="its pictures are said to have 9 x 9")] * 3, FFmpegSays(12, 12), REFUSED),
    ],
)
def test_outcomes(index, extract, classify, ffmpeg, outcome):
    seen = Seen({"index": index, "extract": extract, "classify": classify}, ffmpeg)
    assert judge(Ended(seen), "a.avi", 12).outcome == outcome
    assert (outcome in WELL) != (outcome in FAILURES)

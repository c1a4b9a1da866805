"""What is to be said of how a damaged video was handled: well, in one of four ways, or a failure."""

import re
from dataclasses import dataclass

from fuzzing.process import Ended
from fuzzing.seen import Call, Seen

WHOLE, TOLD, REFUSED, UNNOTICED = (
    "read whole",
    "told damaged",
    "refused with its reason",
    "fewer frames, which FFmpeg does not notice",
)
WELL = (WHOLE, TOLD, REFUSED, UNNOTICED)
CRASH, HANG, MEMORY, TRACEBACK, SILENT, UNCLEAR = (
    "crash",
    "hang",
    "memory",
    "traceback",
    "silent count",
    "unclear refusal",
)
FAILURES = (CRASH, HANG, MEMORY, TRACEBACK, SILENT, UNCLEAR)
MOST_MEMORY = 2 << 30
# What is said of a video whose frames could be decoded, and are not.
TOO_LARGE = "its pictures are said to have"


@dataclass(frozen=True)
class Judgement:
    """An outcome, and for failures what is wrong."""

    outcome: str
    why: str = ""


def judge(ended: Ended, name: str, whole: int) -> Judgement:
    """Return the outcome of a video called `name` that is a damaged copy of one of `whole` frames."""
    if ended.killed_by:
        return Judgement(CRASH, ended.killed_by)
    if ended.timed_out:
        return Judgement(HANG)
    seen: Seen = ended.result
    for call, said in seen.calls.items():
        if said.crashed:
            return Judgement(TRACEBACK, f"{call}: {said.crashed.strip().splitlines()[-1]}")
    if ended.peak > MOST_MEMORY:
        return Judgement(MEMORY, f"{ended.peak / 1e9:.1f} GB")
    refused = {call: said.refused for call, said in seen.calls.items() if said.refused}
    return _refused(seen, refused, name) if refused else _read(seen, name, whole)


def _refused(seen: Seen, refused: dict[str, str], name: str) -> Judgement:
    """All have to refuse it, by its name, and if FFmpeg finds two frames only for their size."""
    unclear = [call for call, said in refused.items() if not re.match("error: .", said) or name not in said]
    if unclear:
        return Judgement(UNCLEAR, f"{unclear[0]}: {refused[unclear[0]]}")
    if others := set(seen.calls) - set(refused):
        return Judgement(SILENT, f"refused by {', '.join(refused)}, and not by {', '.join(others)}")
    of_its_size = all(TOO_LARGE in said for said in refused.values())
    if (frames := seen.ffmpeg.frames) >= 2 and not of_its_size:
        return Judgement(UNCLEAR, f"FFmpeg finds {frames} frames: {refused}")
    return Judgement(REFUSED)


def _read(seen: Seen, name: str, whole: int) -> Judgement:
    counts = {call: said.frames for call, said in seen.calls.items() if said.frames is not None}
    counts["FFmpeg"] = frames = seen.ffmpeg.frames
    if len(set(counts.values())) > 1:
        return Judgement(SILENT, f"frames: {counts}")
    tell = {
        "extract's log": _tells(seen.calls["extract"], name),
        "classify": _tells(seen.calls["classify"], name),
    }
    tell["extract's record"] = bool(seen.calls["extract"].recorded)
    if len(set(tell.values())) > 1:
        return Judgement(
            SILENT, f"told by {[w for w in tell if tell[w]]}, not {[w for w in tell if not tell[w]]}"
        )
    if all(tell.values()):
        return Judgement(TOLD)
    if frames < seen.ffmpeg.announced:
        return Judgement(SILENT, f"untold: {frames} frames of {seen.ffmpeg.announced} announced")
    if seen.ffmpeg.complaints:
        return Judgement(SILENT, f"untold: {frames} frames of {whole}, FFmpeg: {seen.ffmpeg.complaints[0]}")
    return Judgement(WHOLE if frames >= whole else UNNOTICED)


def _tells(call: Call, name: str) -> bool:
    return f"{name}: is damaged" in call.printed

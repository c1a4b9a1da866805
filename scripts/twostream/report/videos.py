"""The test videos: a frame of each, its flow in colour, and what each stream and the fusion said."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import cv2
import numpy as np

from twostream.config.recipes import ReportRecipe
from twostream.extraction.store import Store
from twostream.flow.colour import colour_coded, strongest
from twostream.report.markup import picture
from twostream.scores.fusion import matched
from twostream.scores.score_file import Scores
from twostream.videos.decoding import rescale

TOP = 5
# The shorter side (px) and the quality of pictures, the best first: as good as there is room for.
LEVELS = ((120, 80), (96, 70), (72, 60))
# What an entry of the page's data takes beside its pictures' bytes.
AROUND = 40


@dataclass(frozen=True)
class Shot:
    """A video's middle frame and the field from it to the next, JPEG at each of LEVELS; `deepest` in px."""

    number: int
    deepest: float
    frames: list[bytes]
    fields: list[bytes]

    def size(self, level: int) -> int:
        """Return the bytes that it takes on the page."""
        return sum(4 * -(-len(jpeg[level]) // 3) + AROUND for jpeg in (self.frames, self.fields))


def shots(videos: list[str], frames: Store, fields: Store) -> Iterator[Shot]:
    """Yield each video's shot; raise UserError if a shard is damaged or lacks a video."""
    for video in videos:
        middle = fields.length(video) // 2
        frame = frames.read(video, [min(middle, frames.length(video) - 1)]).images[0].transpose(1, 2, 0)
        field = fields.read(video, [middle]).displacement()[0].transpose(1, 2, 0)
        deepest = strongest(field)
        coded = colour_coded(field, deepest)
        yield Shot(middle, round(deepest, 1), _jpegs(frame[..., ::-1]), _jpegs(coded))


def _jpegs(image: np.ndarray) -> list[bytes]:
    own = min(image.shape[:2])
    return [
        cv2.imencode(
            ".jpg", rescale(np.ascontiguousarray(image), min(side, own)), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )[1].tobytes()
        for side, quality in LEVELS
    ]


@dataclass(frozen=True)
class Choice:
    """Which pictures there is room for: the level, and of how many videos of each class (None: of all)."""

    level: int
    of_each_class: int | None

    def note(self) -> str:
        """Return a sentence on what is not shown, if something is not."""
        side, quality = LEVELS[self.level]
        lowered = (
            f"So that the file stays small, the shorter side of pictures is at most {side} pixels, their JPEG"
            f" quality {quality}"
        )
        if self.of_each_class is None:
            return f"{lowered}." if self.level else ""
        return f"{lowered}, and only the first {self.of_each_class} videos of each class have some."


def choose(found: list[Shot], labels: np.ndarray, room: int) -> Choice:
    """Return the best choice of pictures that takes at most `room` bytes of the page."""
    for level in range(len(LEVELS)):
        if sum(shot.size(level) for shot in found) <= room:
            return Choice(level, None)
    last = len(LEVELS) - 1
    of_place: dict[int, int] = {}
    for shot, place in zip(found, places(labels), strict=True):
        of_place[place] = of_place.get(place, 0) + shot.size(last)
    taken = np.cumsum([of_place[place] for place in sorted(of_place)])
    return Choice(last, int((taken <= room).sum()))


def places(labels: np.ndarray) -> list[int]:
    """Return for each video how many of its class come before it."""
    seen: dict[int, int] = {}
    found = []
    for label in labels.tolist():
        found.append(seen.get(label, 0))
        seen[label] = found[-1] + 1
    return found


def entries(scores: Mapping[str, Scores]) -> list[dict[str, Any]]:
    """Return what the page's script shows of each test video but its pictures.

    `scores` are the test parts, by system; the last one's order of videos counts. `file` and `label`; for
    each system the highest scores, each class (its number) and score, in `top`, and the true class's in
    `true`. Raises UserError if the systems are not of the same videos.
    """
    shown = list(scores.values())[-1]
    own = {system: matched(shown, found).scores for system, found in scores.items()}
    return [
        {
            "file": file,
            "label": label,
            "top": {system: _top(rows[number]) for system, rows in own.items()},
            "true": {system: _rounded(rows[number, label]) for system, rows in own.items()},
        }
        for number, (file, label) in enumerate(zip(shown.videos.tolist(), shown.labels.tolist(), strict=True))
    ]


def _top(row: np.ndarray) -> list[tuple[int, float]]:
    # Of equal scores the first class counts, as in all accuracies.
    highest = np.argsort(-row, kind="stable")[:TOP]
    return [(int(number), _rounded(row[number])) for number in highest]


def _rounded(score: float) -> float:
    return round(float(score), 4)


def with_pictures(
    described: list[dict[str, Any]], found: list[Shot], labels: np.ndarray, choice: Choice
) -> list[dict[str, Any]]:
    """Return entries with the pictures that were chosen, in base64."""
    entered = []
    for entry, shot, place in zip(described, found, places(labels), strict=True):
        if choice.of_each_class is None or place < choice.of_each_class:
            frame, field = shot.frames[choice.level], shot.fields[choice.level]
            entry = entry | {
                "number": shot.number,
                "deepest": shot.deepest,
                "frame": base64.b64encode(frame).decode(),
                "flow": base64.b64encode(field).decode(),
            }
        entered.append(entry)
    return entered


def script_data(classes: list[str], described: list[dict[str, Any]]) -> str:
    """Return the data of the page's script: JSON that no name in it can end early."""
    data = {"classes": classes, "videos": described}
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="videos-data">{text}</script>'


NO_PROBABILITIES = (
    "The fusion's numbers are a softmax of an SVM's decision values: their order counts, and they are no"
    " probabilities."
)


def controls(recipe: ReportRecipe, classes: list[str], note: str) -> str:
    """Return the section's text, what filters and sorts, and where the script puts the videos."""
    options = "".join(
        f'<option value="{number}">{escape(name)}</option>' for number, name in enumerate(classes)
    )
    about = (
        f"The test videos of {recipe.dataset}, split {recipe.split}: the middle frame, its optical flow in"
        f" colour, and the {min(TOP, len(classes))} highest scores of the spatial stream"
        f" ({recipe.spatial}), the temporal stream ({recipe.temporal}) and both fused ({recipe.fused})."
    )
    told = [note, NO_PROBABILITIES if recipe.method == "svm" else ""]
    return f"""<p>{escape(about)}</p>
<p class="note">{escape(" ".join(filter(None, told)))}</p>
<p class="wheel">{_wheel()}<span>Flow: the hue is the direction, the depth the length; white is no motion, and
the deepest colour the length that is named below the picture.</span></p>
<noscript><p>The videos need JavaScript; all else on this page does not.</p></noscript>
<form class="controls" id="video-controls">
<label>Class <select name="class"><option value="">all</option>{options}</select></label>
<label>Fused answer <select name="fused"><option value="">right or wrong</option>
<option value="right">right</option><option value="wrong">wrong</option></select></label>
<label>Streams <select name="streams"><option value="">any</option>
<option value="both">both were right</option><option value="temporal">only the flow was right</option>
<option value="spatial">only the frames were right</option>
<option value="neither">neither was right</option></select></label>
<label>Order <select name="order"><option value="file">class and name</option>
<option value="low">true class's fused score, lowest first</option>
<option value="high">true class's fused score, highest first</option>
<option value="sure">surest mistakes first</option></select></label>
<button type="reset">Show all</button>
</form>
<p id="video-count" role="status"></p>
<div id="video-list"></div>
<button type="button" id="video-more" hidden>Show more</button>"""


def _wheel() -> str:
    y, x = np.mgrid[-1:1:61j, -1:1:61j]
    coded = colour_coded(np.dstack([x, y]), 1.0)
    coded[np.hypot(x, y) > 1] = 255
    words = "colour wheel: right is red, down yellow-green, left cyan, up violet"
    return picture(cv2.imencode(".png", coded)[1].tobytes(), "png", words)

"""Write the pictures of the documents: the pipeline; and of test videos frames, flow and scores.

The first is drawn from the rules. The second takes a run of the default scale in this folder (`make tables`),
and is left as it is without one; a file beside it says what it was drawn from.
"""

import argparse
from pathlib import Path

from twostream import cli
from twostream.extraction.store import Store
from twostream.figures.confusion import read_test_part
from twostream.figures.pipeline import draw_pipeline
from twostream.figures.said import Answer, answers, draw_said, shots
from twostream.figures.sheet import save_figure
from twostream.files import atomic_write, sha256, write_json
from twostream.plan.demo_picture import SCALE, Shown, shown
from twostream.plan.pipeline import boxes

PIPELINE = Path("docs/pictures/pipeline.svg")
DEMO = Path("docs/pictures/demo.png")


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with atomic_write(PIPELINE) as part:
        part.write_text(draw_pipeline(boxes()), encoding="utf-8")
    print(f"{PIPELINE}: written")
    given = shown()
    if missing := given.missing():
        print(f"{DEMO}: left as it is: {missing[0]} is not here, or stale; `make tables` makes it")
        return
    write_demo(given)
    print(f"{DEMO}: written")


def write_demo(given: Shown) -> None:
    """Write the picture of frames, flow and scores, and beside it what it was drawn from."""
    scores = {system: read_test_part(step.outputs[0]) for system, step in given.scores.items()}
    found = answers(scores)
    frames, fields = Store(given.frames.outputs), Store(given.flow.outputs)
    right = ", ".join(f"{system} {part.accuracy():.0f}%" for system, part in scores.items())
    tested = len(scores["fusion"].videos)
    notes = [
        "Drawn videos of the default scale: of each kind the first test video, of a class not shown above.",
        f"Right among all {tested}: {right}. The fusion is the average of both streams.",
        "Flow: the hue is the direction, the depth the length. Bars: the highest scores, blue for the right"
        " class.",
    ]
    pictures = list(shots([answer.video for answer in found], frames, fields))
    save_figure(draw_said("What the two streams see and say", notes, found, pictures), DEMO)
    write_json(DEMO.with_suffix(".json"), origin(given, found))


def origin(given: Shown, found: list[Answer]) -> dict[str, object]:
    """Return what the picture was drawn from, and by which command."""
    return {
        "command": "python scripts/write_pictures.py",
        "scale": SCALE,
        "sha256": sha256(DEMO),
        "videos": [answer.video for answer in found],
        "scores": {step.outputs[0]: sha256(step.outputs[0]) for step in given.scores.values()},
    }


if __name__ == "__main__":
    cli.run(main)

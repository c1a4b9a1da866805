"""Probes: what a network has understood of motion, from test videos whose input was tampered with.

docs/probes.md says what each probe does to each kind of input, why, and what is to be expected. The paper
has none. They show what an accuracy does not: whether a network sees the direction of time, the order of what
happens, or more than one instant, and whether a fusion minds whose flow it is given.
"""

import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from twostream.config.benchmark import Input
from twostream.config.streams import KINDS
from twostream.files import UserError
from twostream.scores.fusion import average
from twostream.scores.score_file import Scores
from twostream.training.scoring import mean_over_inputs
from twostream.training.trial import Feed, Subject, untouched

# Which items of a stack [length] are shown in its places, and what displacements are multiplied by.
Tampering = tuple[np.ndarray, int]


def reversed_in_time(what: Input, rng: np.random.Generator) -> Tampering:
    """Play the video backwards: the last item first, and displacements negated.

    A bidirectional input holds both directions from one frame already: its halves change places.
    """
    if what.bidirectional:
        return np.concatenate(_parts(what)[::-1]), 1
    return np.arange(what.images)[::-1], -1 if KINDS[what.kind].displacements else 1


def shuffled(what: Input, rng: np.random.Generator) -> Tampering:
    """Show the items in an order that is drawn; all orders are equally likely, the true one too."""
    return np.concatenate([rng.permutation(part) for part in _parts(what)]), 1


def repeated(what: Input, rng: np.random.Generator) -> Tampering:
    """Show the middle item (of an even number, the later of the two) in all places."""
    return np.concatenate([np.full_like(part, part[len(part) // 2]) for part in _parts(what)]), 1


PROBES: dict[str, Callable[[Input, np.random.Generator], Tampering]] = {
    "reversed": reversed_in_time,
    "shuffled": shuffled,
    "repeated": repeated,
}
WRONG_FLOW = "wrong flow"


def outcomes(subject: Subject) -> Iterator[dict[str, Any]]:
    """Yield how each video comes out by each probe, untouched last.

    The ways are told apart by `system`, the network alone or with the spatial run that it is averaged with
    (which sees each video as it is), and by `probe`. Raises UserError if no probe applies to such inputs.
    """
    what, seed = subject.description.run.input, subject.recipe.seed
    probes = applicable(what)
    if not probes:
        raise UserError("probes tamper with motion, and such a model sees a single frame; choose another run")
    feeds = [*(tampered(probe, what, seed) for probe in probes), untouched]
    made = [[mean_over_inputs(scores) for scores in of_video] for of_video in subject.scores(feeds)]
    scores = np.array(made, dtype=np.float64).swapaxes(0, 1)
    alone = dict(zip([*probes, "untouched"], map(subject.test_part, scores), strict=True))
    systems = {"alone": alone}
    if subject.spatial:
        systems[f"with {subject.recipe.spatial}"] = _fused(alone, subject.spatial, seed)
    right = {(s, p): scores.right() for s, of_system in systems.items() for p, scores in of_system.items()}
    for number, video in enumerate(subject.videos):
        for (system, probe), values in right.items():
            yield video.outcome(values[number], system=system, probe=probe)


def applicable(what: Input) -> list[str]:
    """Return the probes that can change such an input: order is for several items."""
    several = len(_parts(what)[0]) > 1
    return [name for name in PROBES if several or (name == "reversed" and what.shows_motion)]


def tampered(probe: str, what: Input, seed: int) -> Feed:
    """Return what feeds inputs so tampered with; draws depend on seed, video and the input's number."""

    def feed(video: str, images: Tensor, ranges: Tensor) -> tuple[Tensor, Tensor]:
        name = zlib.crc32(video.encode())
        drawn = [PROBES[probe](what, np.random.default_rng([seed, name, i])) for i in range(len(images))]
        order = torch.from_numpy(np.stack([order for order, _ in drawn]))
        sign = torch.tensor([sign for _, sign in drawn])[:, None, None, None]
        rows = torch.arange(len(images))[:, None]
        # A displacement is linear in its range, so that a negated range negates it, and its mean vector too.
        return images[rows, order], ranges[rows, order] * sign

    return feed


def donors(labels: np.ndarray, seed: int) -> np.ndarray | None:
    """Return for each video the number of one of another class, whose flow it is given; each gives its once.

    `labels` [videos]. Drawn by the seed. None if a class has more than half of the videos.
    """
    if 2 * np.bincount(labels).max() > len(labels):
        return None
    rng = np.random.default_rng(seed)
    given = rng.permutation(len(labels))
    for video in range(len(labels)):
        if labels[given[video]] == labels[video]:
            # With one of these it can change, and neither then has flow of its own class.
            free = (labels[given] != labels[video]) & (labels != labels[given[video]])
            other = rng.choice(np.flatnonzero(free))
            given[[video, other]] = given[[other, video]]
    return given


def _parts(what: Input) -> list[np.ndarray]:
    """The places of a stack in one direction of time; two halves if it is bidirectional."""
    return np.split(np.arange(what.images), 2 if what.bidirectional else 1)


def _fused(alone: dict[str, Scores], spatial: Scores, seed: int) -> dict[str, Scores]:
    """The same, averaged with scores of the videos' frames; and with flow of other videos."""
    own = alone["untouched"]
    flows = {name: scores for name, scores in alone.items() if scores is not own}
    if (given := donors(own.labels, seed)) is None:
        print(
            f"{WRONG_FLOW}: left out, as a class has more than half of the test videos: not each of them can"
            " be given flow of another",
            file=sys.stderr,
        )
    else:
        flows[WRONG_FLOW] = replace(own, scores=own.scores[given])
    flows["untouched"] = own
    return {name: average(flow, spatial) for name, flow in flows.items()}

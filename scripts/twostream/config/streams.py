"""The streams and the kinds of input that they see, as data: the paper's (sections 2 and 3) and one more.

What differs from one stream, or kind of input, to another is said here, once; all else asks. A new kind
needs an entry here and its own stacking in `inputs`, a new stream an entry here.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from twostream.paths import Direction

# Bring colours and displacements to about unit variance; the mean is ImageNet's, R, G, B.
PIXEL_MEAN = (123.675, 116.28, 103.53)
PIXEL_SCALE = 58.0
FLOW_SCALE = 2.0

# What is extracted from videos; the flow's names give its direction.
Extracted = Literal["frames", "flow", "backward_flow"]
DIRECTIONS: dict[Extracted, Direction] = {"flow": "forward", "backward_flow": "backward"}

KindName = Literal["frames", "stacking", "trajectory", "difference"]
StreamName = Literal["spatial", "temporal", "difference"]


@dataclass(frozen=True)
class Kind:
    """A kind of input: a stack of items, frames or fields, of a few channels each.

    An item's values are colours in 0..255, or displacements in px. A network sees them less `mean`,
    divided by `scale`.
    """

    reads: Literal["frames", "flow"]
    """What its items are made from; flow may come backward too, if the kind can be bidirectional."""
    channels: tuple[str, ...]
    """What an item's channels are called; a figure's labels raise them above `symbol`, if there is one."""
    mirror_signs: tuple[int, ...]
    """What each channel is multiplied by when an item is mirrored left to right."""
    mean: tuple[float, ...]
    """What is taken from each channel."""
    scale: float
    rows: tuple[str, str]
    """What a figure says of the channels of one item, and of those of several."""
    symbol: str = ""
    lengths: tuple[int, ...] = ()
    """How many items there may be; without any, as many as one likes."""
    displacements: bool = False
    """Whether the values are displacements in px, which grow and shrink with the picture; mean zero."""
    jittered: bool = False
    """Whether colours are jittered in training (section 4)."""
    slow_fusion: bool = False
    """Whether several items are fused from layer to layer, and not stacked."""
    more_images: int = 0
    """How many more stored frames or fields there are to an input than it has items."""
    leaves_crop: bool = False
    """Whether values are taken from outside the crop too."""
    bidirectional: bool = False
    """Whether half of the items may lead backward in time."""
    mean_subtraction: bool = False
    """Whether an item's own mean vector may be subtracted."""

    def extracted(self, bidirectional: bool) -> list[Extracted]:
        """Return what an input of this kind reads of a video."""
        return [self.reads, "backward_flow"] if bidirectional else [self.reads]


@dataclass(frozen=True)
class Stream:
    """A stream: what it may see, and how its network differs from CNN-M-2048; its name is its folder."""

    kinds: tuple[KindName, ...]
    single_normalisation: bool = False
    """Whether only the first of the local response normalisations is there (section 2)."""
    averages_first_layer: bool = False
    """Whether the first layer of another stream's model is averaged over its channels, and that repeated
    for each channel of this one's, when a network starts from it."""


DISPLACEMENT_ROWS = "displacement components (odd rows x, even rows y)"

STACKING = Kind(
    reads="flow",
    channels=("x", "y"),
    mirror_signs=(-1, 1),
    mean=(0.0, 0.0),
    scale=FLOW_SCALE,
    rows=(DISPLACEMENT_ROWS, DISPLACEMENT_ROWS),
    symbol="d",
    displacements=True,
    bidirectional=True,
    mean_subtraction=True,
)

KINDS: dict[KindName, Kind] = {
    # One frame, or as many as slow fusion sees (section 6).
    "frames": Kind(
        reads="frames",
        channels=("R", "G", "B"),
        mirror_signs=(1, 1, 1),
        mean=PIXEL_MEAN,
        scale=PIXEL_SCALE,
        rows=("the frame's colours", "the colours of consecutive frames"),
        lengths=(1, 11),
        jittered=True,
        slow_fusion=True,
    ),
    "stacking": STACKING,
    "trajectory": replace(STACKING, leaves_crop=True),
    # Of each frame to the next (Wang et al., 2016). A colour added to all frames would change no difference.
    "difference": Kind(
        reads="frames",
        channels=("R", "G", "B"),
        mirror_signs=(1, 1, 1),
        mean=(0.0, 0.0, 0.0),
        scale=PIXEL_SCALE,
        rows=("the difference of two frames' colours", "the differences of consecutive frames' colours"),
        symbol=r"\Delta",
        more_images=1,
    ),
}

STREAMS: dict[StreamName, Stream] = {
    "spatial": Stream(kinds=("frames",)),
    "temporal": Stream(
        kinds=("stacking", "trajectory"), single_normalisation=True, averages_first_layer=True
    ),
    "difference": Stream(kinds=("difference",), averages_first_layer=True),
}


# What figures alone ask for, and what the configuration alone does.
SHOWN, OFFERED = {"symbol", "rows"}, {"kinds"}


def facts(stream: StreamName, kind: KindName, shown: bool = False) -> dict[str, Any]:
    """Return what this module says of a stream and a kind of input, with what figures show of it or not.

    Specs hold just the entries that a step uses, so that one more makes nothing stale, and of these what
    differs from its default, so that neither does a field that comes later (see `provenance.specs`).
    """
    of_kind = {key: value for key, value in _said(KINDS[kind]).items() if shown or key not in SHOWN}
    of_stream = {key: value for key, value in _said(STREAMS[stream]).items() if key not in OFFERED}
    return {"stream": of_stream, "kind": of_kind}


def _said(entry: Kind | Stream) -> dict[str, Any]:
    values = {field.name: (getattr(entry, field.name), field.default) for field in fields(entry)}
    return {name: value for name, (value, default) in values.items() if value != default}

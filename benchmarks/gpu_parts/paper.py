"""The paper's settings as plain objects, for machines that lack the libraries to read the configuration.

They are those of config/scale/paper.yaml and config/benchmark.yaml, as tests/test_gpu_check.py sees to.
"""

from types import SimpleNamespace as Plain

ITERATIONS = 80_000
CLASSES = 101
# What a crop is measured against.
SHORT_SIDES = {"spatial": 256, "temporal": 240}
FLOW_QUALITY, FRAME_QUALITY = 90, 95

BROX = Plain(
    alpha=0.197,
    gamma=50.0,
    scale=0.8,
    smallest_side=16,
    inner_iterations=10,
    solver_iterations=10,
    omega=1.95,
)
# The algorithms that compute on the CPU, whatever the device.
ON_CPU = ("dis", "farneback", "tvl1")


def _convolution(channels: int, kernel: int, stride: int, padding: int, extras: str = "") -> Plain:
    return Plain(
        channels=channels,
        kernel=kernel,
        stride=stride,
        padding=padding,
        normalised="normalised" in extras,
        pooled="pooled" in extras,
    )


# CNN-M-2048 (Chatfield et al., 2014).
NETWORK = Plain(
    normalisation="local_response",
    convolutions=[
        _convolution(96, 7, 2, 0, "normalised, pooled"),
        _convolution(256, 5, 2, 1, "normalised, pooled"),
        _convolution(512, 3, 1, 1),
        _convolution(512, 3, 1, 1),
        _convolution(512, 3, 1, 1, "pooled"),
    ],
    full=[4096, 2048],
)


def training(batch: int, crop: int) -> Plain:
    """Return what all trainings share, with another batch or crop than the paper's 256 and 224."""
    return Plain(
        batch=batch,
        crop=crop,
        flow_short_side=SHORT_SIDES["temporal"],
        momentum=0.9,
        weight_decay=5e-4,
        biases_as_caffe=True,
        rgb_jitter=0,
        pca_lighting=0.1,
    )


def _input(kind: str, length: int, mean_subtraction: bool) -> Plain:
    return Plain(
        kind=kind,
        length=length,
        images=length,
        bidirectional=False,
        mean_subtraction=mean_subtraction,
        is_slow_fusion=False,
        module=f"twostream.training.stackings.{kind}",
    )


# A run of each stream in which all layers learn, by its name in the benchmark.
RUNS = {
    "flow-10": Plain(stream="temporal", dropout=0.9, layers="all", input=_input("stacking", 10, True)),
    "spatial-scratch-d05": Plain(
        stream="spatial", dropout=0.5, layers="all", input=_input("frames", 1, False)
    ),
}


def title(run: str) -> str:
    """Return what a run's rows are called."""
    return f"{RUNS[run].stream} stream ({run})"


def recipe(run: str, batch: int, crop: int) -> Plain:
    """Return what the steps of a run's training read of its recipe; the rate is so low that they go on."""
    schedule = Plain(rate=0.001, drops=[], iterations=10**6)
    return Plain(
        run=RUNS[run],
        training=training(batch, crop),
        schedule=schedule,
        short_side=SHORT_SIDES[RUNS[run].stream],
        first_layer_scale=1.0,
    )

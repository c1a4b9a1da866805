"""How long the parts of jobs take: upper estimates, which `needs` asks for, and what is expected.

All are seconds for a thing. "Measured" is at the default scale on one core of a busy AMD EPYC (Zen 4);
"full-scale" is docs/full-scale.md, "What it costs", measured on real clips; "H100" is docs/gpu.md.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class NetworkRate:
    """What a network takes (s): for each of an input's products, values and columns, and for each batch.

    `sizes.NetworkSize` says what these are. GPUs are held up by values, and CPUs by gathering columns.
    """

    product: float
    value: float = 0.0
    column: float = 0.0
    batch: float = 0.0


@dataclass(frozen=True)
class Processor:
    """What takes longer on one processor than on another (s).

    pair: the Brox flow between two frames of 320 x 240, with decoding and encoding, by 10 inner iterations.
    trained, scored: an input of a network, forward and back, and forward alone. known: what of it is
    measured, in words.
    """

    pair: float
    trained: NetworkRate
    scored: NetworkRate
    known: str = "nothing"


@dataclass(frozen=True)
class Rates:
    """What the parts of jobs take (s).

    start: to import, open and write. frame: one of 320 x 240, decoded, rescaled and encoded. image, value: a
    stored frame or field that a core reads for a network, and each of its values. drawn: a frame of 64 x 80.
    fetched: a video, and a MB of an archive. listed: a user's video or image, beside its frames. svm_part: a
    video, class, cost and fold.
    """

    start: float
    frame: float
    image: float
    value: float
    drawn: float
    fetched: float
    listed: float
    svm_part: float
    cpu: Processor
    gpu: Processor


# GPU: the paper's day for 80,000 iterations on four GPUs of 2014, on one; values by their memory's speed, a
# tenth of an H100's. CPU: two to three times what is expected. Forward, and back to weights and to values,
# are three times the products.
UPPER = Rates(
    start=120.0,  # A network's file system can be slow.
    frame=2.5e-3,
    image=80e-6,
    value=2.7e-9,
    drawn=5e-3,
    fetched=1.0,
    listed=0.02,
    svm_part=50e-6,
    cpu=Processor(
        pair=90e-3,
        trained=NetworkRate(3 / 1.5e10, column=20e-9),
        scored=NetworkRate(1 / 1.5e10, column=10e-9),
    ),
    gpu=Processor(
        pair=45e-3, trained=NetworkRate(3 / 2.6e12, 0.75e-9), scored=NetworkRate(1 / 2.6e12, 0.25e-9)
    ),
)

# full-scale: 43 pairs a second, 5 inner iterations, 10 take 1.58 times as long; ten seconds for a batch of 32
# of the temporal CNN-M-2048. Measured, with the smaller scales' networks: 5 to 9 ns a column forward and
# back, 3.3 to 4 forward; what a batch takes, however small the network is.
CPU = Processor(
    pair=1.58 / 43,
    trained=NetworkRate(3 / 3.8e10, column=7e-9, batch=10e-3),
    scored=NetworkRate(1 / 3.8e10, column=3.5e-9, batch=5e-3),
    known="Brox flow, and training of the temporal CNN-M-2048 (docs/full-scale.md)",
)
# GPUs, by name. A network's two rates are those by which both streams of CNN-M-2048, with as many values and
# other multiplications, come out as measured.
GPUS = {
    "h100": Processor(
        pair=1 / 114.3,
        trained=NetworkRate(1.65e-14, 1.535e-10),
        scored=NetworkRate(2.34e-14, 3.80e-11),
        known="Brox flow, and training and scoring by both streams of CNN-M-2048 (docs/gpu.md)",
    )
}

EXPECTED = Rates(
    start=5.0,  # 1 to 3 measured, and Snakemake's own second; with CUDA longer, estimated.
    frame=1.14e-3,  # full-scale.
    # full-scale: 387 samples of ten fields a second, shared as decoding is: measured with fields and frames
    # of real clips at two sizes, it takes 0.9 to 1.1 ns a value, and 34 to 50 us an image.
    image=40e-6,
    value=1.4e-9,
    drawn=0.7e-3,  # Measured; of still images 2e-3.
    fetched=0.1,  # 5 to 10 MB a second: estimated, as networks differ.
    listed=0.005,  # Estimated.
    svm_part=16e-6,  # Measured.
    cpu=CPU,
    gpu=GPUS["h100"],
)

# The values that all convolutions of CNN-M-2048 give for an input: by them it is known.
CNN_M_2048 = 1_573_216


def expected(gpu: str) -> Rates:
    """Return what is expected with a GPU of this name (a key of GPUS), and its machine's CPU."""
    return replace(EXPECTED, gpu=GPUS[gpu])

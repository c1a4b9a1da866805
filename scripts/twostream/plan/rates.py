"""How long the parts of jobs take: seconds for a thing, or things in a second.

"Measured" is at the default scale on one core of a busy AMD EPYC (Zen 4); "README" is its section "What
the full scale costs", measured on real clips.
"""

START = 120.0  # To import, open and write: 1 to 3 measured, but a network's file system can be slow.
CPU_PRODUCTS = 1e10  # README's ten seconds an iteration are 2.5e10.
GPU_PRODUCTS = 1.85e12  # The paper's day for 80,000 iterations on four GPUs of 2014, on one; an H100 does 9x.
SAMPLES = 200.0  # read and decoded by one core: 387 in README.
FRAME = 1.5e-3  # of 320 x 240, decoded, rescaled and encoded: 0.8e-3 in README.
PAIR = 45e-3  # of frames of 320 x 240, their Brox flow: 1.58 / 43 in README; 9e-3 on an H100 (docs/gpu.md).
SLOWER = {"tvl1": 66.0}  # than Brox, README; OpenCV's other algorithms are faster.
DRAWN = 0.05  # a video of 64 x 80: 0.01 measured.
FETCHED = 1.0  # a video, and a MB of an archive: half a MB each in UCF-101; estimated, as networks differ.
LISTED = 0.02  # a user's video or image, beside its frames; estimated.
SVM_PART = 50e-6  # a video, class, cost and fold: 16e-6 measured.

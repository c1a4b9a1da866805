"""What the paper claims, on the default scale's score files: a difference a claim, with its interval.

`claims_in_the_model.py FOLDER:SEED ...` takes folders in which the tables were made and the seed of
each. Differences are paired by video; 95% intervals resample groups, as those of the tables do.
"""

import argparse
from pathlib import Path

import numpy as np

from twostream.fusion import matched
from twostream.scores import Scores, read_scores

RESAMPLES = 5000
# Claim, the run that should be better, the other, and the dataset; numbers as in the paper's text.
CLAIMS = [
    ("pre-training, fine-tuned, beats scratch", "spatial-finetuned-d05", "spatial-scratch-d05", "demo_a"),
    ("pre-training, last layer, beats scratch", "spatial-last-d05", "spatial-scratch-d05", "demo_a"),
    ("from scratch, dropout 0.9 beats 0.5", "spatial-scratch-d09", "spatial-scratch-d05", "demo_a"),
    ("last layer alone: dropout 0.5 beats 0.9", "spatial-last-d05", "spatial-last-d09", "demo_a"),
    ("L = 5 beats L = 1", "flow-5", "flow-1", "demo_a"),
    ("L = 10 beats L = 1", "flow-10", "flow-1", "demo_a"),
    ("L = 10 beats L = 5", "flow-10", "flow-5", "demo_a"),
    ("mean subtraction helps stacking", "flow-10", "flow-10-raw", "demo_a"),
    ("mean subtraction helps trajectories", "trajectory-10", "trajectory-10-raw", "demo_a"),
    ("stacking beats trajectories", "flow-10", "trajectory-10", "demo_a"),
    ("bi-directional beats uni-directional", "bidirectional-10", "flow-10", "demo_a"),
    ("temporal beats spatial", "flow-10", "spatial-last-d05", "demo_a"),
    ("slow fusion beats one frame", "slow-fusion", "spatial-scratch-d05", "demo_a"),
    ("flow beats slow fusion", "flow-10", "slow-fusion", "demo_a"),
    ("second set: multi-task beats alone", "flow-10-multitask", "flow-10", "demo_b"),
    ("second set: multi-task beats added", "flow-10-multitask", "flow-10-added-classes", "demo_b"),
    ("second set: added beat fine-tuning", "flow-10-added-classes", "flow-10-finetuned", "demo_b"),
    ("second set: fine-tuning beats alone", "flow-10-finetuned", "flow-10", "demo_b"),
    ("first set: multi-task beats alone", "flow-10-multitask", "flow-10", "demo_a"),
    ("two streams beat the temporal one", "flow-average", "flow-10", "demo_a"),
    ("two streams beat the spatial one", "flow-average", "spatial-last-d05", "demo_a"),
    ("SVM fusion beats averaging", "multitask-svm", "multitask-average", "demo_a"),
    ("fused, bi-directional beats uni-", "bidirectional-average", "flow-average", "demo_a"),
]


def tested(folder: Path, run: str, dataset: str, seed: int) -> Scores:
    """The test part of split 1 of a run or fusion."""
    (file,) = folder.glob(f"scores/*/{run}/{dataset}-split1-seed{seed}.npz")
    return read_scores(file).part("test")


def difference(better: Scores, other: Scores) -> tuple[float, float, float]:
    """The difference of two accuracies on the same videos, in %, and its 95% interval."""
    other = matched(better, other)
    right = [s.scores.argmax(axis=1) == s.labels for s in (better, other)]
    each = 100 * (right[0].astype(float) - right[1])
    group = np.unique(better.groups, return_inverse=True)[1]
    count = group.max() + 1
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    resampled = (drawn @ np.bincount(group, weights=each)) / (drawn @ np.bincount(group))
    low, high = np.percentile(resampled, [2.5, 97.5])
    return float(each.mean()), float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", help="FOLDER:SEED")
    args = parser.parse_args()
    for claim, better, other, dataset in CLAIMS:
        cells = []
        for given in args.folders:
            folder, _, seed = given.rpartition(":")
            pair = (tested(Path(folder), run, dataset, int(seed)) for run in (better, other))
            middle, low, high = difference(*pair)
            verdict = "holds" if low > 0 else "fails" if high < 0 else "undecided"
            cells.append(f"{middle:+6.1f} ({low:+5.1f} to {high:+5.1f}) {verdict:9s}")
        print(f"{claim:40s}", "  ".join(cells))


if __name__ == "__main__":
    main()

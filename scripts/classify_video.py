"""Classify a video with the trained models of both streams.

Prints the five most likely classes by each stream and by both, whose scores are averaged (an SVM would
need those of the training videos). With --out it also writes the video with this and the flow beside it.
To be called from the repository root.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from twostream import cli
from twostream.classify.annotate import check_output, write_annotated
from twostream.classify.classify import (
    Models,
    check_video,
    classify,
    find_models,
    forward_flow,
    is_trained_on,
    readable,
    stale,
)
from twostream.config.loading import load_config

# Ways of fusion that a single video cannot be put through.
FITTED = {
    "svm": "an SVM, which needs training videos' scores",
    "weighted": "weights chosen on training videos",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path, help="any file that FFmpeg can decode")
    parser.add_argument("--out", type=Path, metavar="VIDEO", help="the video to write, .avi or .mp4")
    parser.add_argument("--dataset", help="whose classes (default: the scale's primary dataset)")
    parser.add_argument("--split", type=int, default=1, help="on which the models were trained (default: 1)")
    parser.add_argument("--seed", type=int, help="of the models, if not config.yaml's")
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="the device, if not config.yaml's")
    parser.add_argument("--fusion", help="whose runs are used, if not benchmark.yaml's `two_stream`")
    args = parser.parse_args()
    config = load_config(overrides={"scale": args.scale} if args.scale else None)
    models = Models(
        fusion=args.fusion or config.benchmark.two_stream,
        dataset=args.dataset or config.scale.roles.primary,
        split=args.split,
        seed=config.seed if args.seed is None else args.seed,
    )
    at_scale = f" --config scale={args.scale}" if args.scale else ""
    files = find_models(models, config, f"snakemake --cores all{at_scale}")
    check_video(args.video)
    for file in stale(models, config):
        print(f"note: {file} was not made by configuration and code as they are now", file=sys.stderr)
    if args.out:
        check_output(args.out, args.video)
    with TemporaryDirectory() as scratch:
        place, device = Path(scratch), args.device or config.device
        verdicts = classify(args.video, files, models.dataset, config.scale, device, place)
        print(f"{args.video}, by models of {models.dataset}, split {models.split}, seed {models.seed}\n")
        print(readable(verdicts))
        count = len(verdicts[0].classes)
        print(f"\nThese are scores of {count} classes; a video of none of them gets some too.")
        if is_trained_on(args.video, models.dataset, models.split):
            print("The models were trained on this video.")
        method = config.benchmark.fusions[models.fusion].method
        if method in FITTED:
            print(f"\n{models.fusion} fuses by {FITTED[method]}; this is an average.")
        if args.out:
            write_annotated(args.video, forward_flow(place), verdicts, args.out, place)


if __name__ == "__main__":
    cli.run(main)

"""Everything that a GPU is for, measured on one in ten minutes at most.

    python3 benchmarks/gpu_check.py                  # or `make gpu-check`
    python3 benchmarks/gpu_check.py --device cpu     # tries the check itself, at small sizes

Flow, Triton and training steps need torch and NumPy alone; a part that needs more is skipped by name. Each
part has a limit of its own, and what it finds is printed and written as it comes, to a JSON whose form
gpu_parts/report.py explains. The exit status is 1 if a value is wrong or a part has failed, and not if one
was skipped or cut.

`--document` writes the last section of docs/gpu.md from the JSON files in docs/results/gpu.
"""

import argparse
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "benchmarks")]

from gpu_parts.document import write_document  # noqa: E402
from gpu_parts.parts import PARTS  # noqa: E402
from gpu_parts.report import Report  # noqa: E402
from gpu_parts.runner import Part, Runner  # noqa: E402
from gpu_parts.table import header  # noqa: E402

# Less than ten minutes, so that a caller who allows so many sees the end.
SECONDS = 590.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--out", type=Path, default=ROOT / "scratch/gpu-check.json", help="the JSON")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for all parts together")
    parser.add_argument("--only", nargs="+", choices=[part.name for part in PARTS], help="these parts")
    parser.add_argument("--document", action="store_true", help="write docs/gpu.md, and measure nothing")
    args = parser.parse_args()
    if args.document:
        write_document()
        return
    # So that the parts at work are ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    only = args.only or [part.name for part in PARTS]
    parts = [part for part in PARTS if part.name in ("environment", *only)]
    sys.exit(check(parts, args.out.resolve(), args.device, args.seconds))


def check(parts: list[Part], out: Path, device: str, seconds: float) -> int:
    """Run parts, the environment first, and return the exit status."""
    sizes = "full" if device == "cuda" else "small"
    report = Report(out)
    report.start(device=device, sizes=sizes, started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    print(header(), flush=True)
    runner = Runner(report, device, sizes, seconds)
    ended: dict[str, list[str]] = {}
    for part in parts:
        status = runner.run(part)
        ended.setdefault(status, []).append(part.name)
        if part.name == "environment" and status != "done":
            print("error: nothing can be measured here, see above; `--device cpu` tries the check itself")
            return 1
    print(f"\n{out}: " + "; ".join(f"{status}: {', '.join(names)}" for status, names in ended.items()))
    if "failed" in ended:
        print(f"{out.with_suffix('.log')}: what they said")
        return 1
    return 0


if __name__ == "__main__":
    main()

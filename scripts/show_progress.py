"""Show how far each running job is, by the last line of its log, from wherever the logs are seen."""

import argparse
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from twostream import cli
from twostream.progress import INTERVAL

LOGS = Path("logs")
# A log that has not been written to for so long (seconds) is of no running job.
QUIET = 4 * INTERVAL
END = 4_000


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    running = [f"{name}: {said}" for name, said in progress(LOGS) if said]
    print("\n".join(running) or f"no job is at work here (none has written to {LOGS} just now)")


def progress(logs: Path) -> list[tuple[str, str]]:
    """Return each log that has just been written to, without `.log`, and the last line that tells how far."""
    if not logs.exists():
        return []
    now = _now(logs)
    recent = (log for log in sorted(logs.rglob("*.log")) if now - log.stat().st_mtime <= QUIET)
    return [(str(log.relative_to(logs).with_suffix("")), _last(log)) for log in recent]


def _now(logs: Path) -> float:
    """By the file system's clock, which may not be this machine's; by this one's if it cannot be asked."""
    with suppress(OSError), tempfile.NamedTemporaryFile(dir=logs) as probe:
        return Path(probe.name).stat().st_mtime
    return time.time()


def _last(log: Path) -> str:
    with log.open("rb") as stream:
        place = stream.readline().decode(errors="replace").strip()
        stream.seek(max(0, log.stat().st_size - END))
        lines = stream.read().decode(errors="replace").splitlines()
    told = [line for line in lines if " left" in line or ", done in " in line]
    if not told or ", done in " in told[-1]:
        return ""
    return told[-1] + (f" ({place})" if place.startswith("SLURM job ") else "")


if __name__ == "__main__":
    cli.run(main)

"""A node whose clock is ahead of the others': what its jobs' Python takes for now, and its files' times.

SLURM runs a prolog before each task and an epilog after it, on the task's node. The clock of a Python that
looks at the time is put forward; files get their times from the kernel, so these are put forward afterwards.
"""

from pathlib import Path

AHEAD = 30  # seconds
NODE = "n2"

PROLOG = f"""#!/bin/sh
[ "$SLURMD_NODENAME" = {NODE} ] || exit 0
touch "{{folder}}/began-$SLURM_JOB_ID-$SLURM_STEP_ID"
echo "export PYTHONPATH={{folder}}/ahead${{{{PYTHONPATH:+:$PYTHONPATH}}}}"
"""
EPILOG = f"""#!/bin/sh
[ "$SLURMD_NODENAME" = {NODE} ] || exit 0
find "$SLURM_SUBMIT_DIR" -type f -newer "{{folder}}/began-$SLURM_JOB_ID-$SLURM_STEP_ID" \\
    -exec touch --date "+{AHEAD} seconds" {{{{}}}} +
"""
CUSTOMIZE = f"""\
import time

now, now_ns = time.time, time.time_ns
time.time = lambda: now() + {AHEAD}
time.time_ns = lambda: now_ns() + {AHEAD} * 10**9
"""


def put_ahead(folder: Path) -> None:
    """Write what a cluster's settings name as prolog and epilog."""
    (folder / "ahead").mkdir()
    (folder / "ahead/sitecustomize.py").write_text(CUSTOMIZE)
    for name, text in (("prolog", PROLOG), ("epilog", EPILOG)):
        (folder / name).write_text(text.format(folder=folder))
        (folder / name).chmod(0o755)

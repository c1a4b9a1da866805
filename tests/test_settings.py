"""What holds in each call of Snakemake, whatever its profile."""

import os
import shutil
import subprocess

import pytest
from conftest import ENVIRONMENT, copy_project, snakemake


@pytest.fixture
def folder(tmp_path):
    return copy_project(tmp_path / "project")


def test_no_profile_takes_away_what_correctness_rests_on(folder, tmp_path):
    """Without the settings, a lock that a killed call left would stop the next one."""
    profile = tmp_path / "mine"
    profile.mkdir()
    (profile / "config.yaml").write_text("printshellcmds: true\nrerun-triggers: [code, params, mtime]\n")
    target = ("--workflow-profile", str(profile), "--", "data/videos/demo_b.csv")
    assert snakemake(folder, *target).returncode == 0
    locks = folder / ".snakemake/locks"
    locks.mkdir(parents=True, exist_ok=True)
    for kind in ("input", "output"):
        (locks / f"0.{kind}.lock").write_text("data/videos/demo_b.csv\n")
    shutil.rmtree(folder / ".snakemake/metadata", ignore_errors=True)
    done = snakemake(folder, *target)
    assert done.returncode == 0 and "Nothing to be done" in done.stdout, done.stdout


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="mounts need root")
def test_a_dry_run_works_in_a_folder_that_one_may_only_read(folder):
    mount = f"mount --bind '{folder}' '{folder}' && mount -o remount,ro,bind '{folder}' && cd '{folder}'"
    command = ["unshare", "-m", "sh", "-c", f"{mount} && snakemake -n --quiet rules -- results/table3.csv"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr

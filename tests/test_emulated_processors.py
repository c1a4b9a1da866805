"""Comparing what jobs made on two processors; and what is told of an emulator that is missing or wrong."""

import emulated_processors
import pytest
from emulated_processors import NATIVE, NO_EMULATOR, Job, Made, differ, difference, kind_of, report

FIRST = Made(1.0, {"a.npz": "1", "a.record.json": "2"}, None)
SECOND = Made(0.5, {"b.csv": "3"}, None)


def test_a_table_tells_what_differs_by_the_kind_of_job():
    jobs = [Job("fuse_streams svm", []), Job("make_table", []), Job("make_table", [])]
    other = Made(3.0, {"b.csv": "4"}, None)
    made = {NATIVE: [FIRST, SECOND, SECOND], "EPYC": [FIRST, SECOND, other]}
    assert list(report(jobs, made))[2:] == [
        "| fuse_streams svm | 1 | 2 | equal, 1.0 s | equal, 1.0 s |",
        "| make_table | 2 | 2 | equal, 1.0 s | DIFFERS: b.csv, 3.5 s |",
        "| all | 3 | 4 | equal, 2.0 s | DIFFERS: b.csv, 4.5 s |",
    ]
    assert differ(made) and not differ({**made, "EPYC": made[NATIVE]})


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (FIRST, None),
        (Made(9.0, FIRST.files, None), None),
        # The artefact itself before its record, in which its checksum stands.
        (Made(1.0, {"a.npz": "5", "a.record.json": "6"}, None), "a.npz"),
        (Made(1.0, {"a.npz": "1", "a.record.json": "6"}, None), "a.record.json"),
        (Made(1.0, {"a.npz": "1"}, None), "a.record.json"),
        (Made(1.0, {**FIRST.files, "more.csv": "7"}, None), "more.csv"),
        (Made(1.0, {}, "Traceback:\nValueError: so it is\n"), "failed: ValueError: so it is"),
    ],
)
def test_the_first_difference_is_found(other, told):
    assert difference(FIRST, other) == told


@pytest.mark.parametrize(
    ("script", "out", "recipe", "kind"),
    [
        (
            "extract_flow",
            "data/flow/a/forward/0.zip",
            {"flow": {"method": "dis"}, "direction": "forward"},
            "dis forward",
        ),
        ("train_stream", "models/temporal/flow-10/a-split1-seed0.safetensors", {}, "flow-10 (strided)"),
        ("pretrain", "models/pretrained/stills.safetensors", {}, "(strided)"),
        ("fuse_streams", "scores/fused/both/a-split1-seed0.npz", {"method": "svm"}, "svm"),
    ],
)
def test_kinds_of_jobs_are_told_apart(script, out, recipe, kind):
    arguments = [f"scripts/{script}.py", "--spec", "spec.json", "--out", out]
    assert kind_of(arguments, recipe, "strided") == f"{script} {kind}"


@pytest.mark.parametrize(
    ("emulator", "told"), [("no-such-emulator", "is not here"), ("false", "emulates AVX2 wrongly")]
)
def test_an_emulator_that_is_missing_or_wrong_is_told(emulator, told, capsys):
    with pytest.raises(SystemExit) as stopped:
        emulated_processors.refuse_bad_emulator([emulator, "-cpu", "EPYC", "python"])
    assert stopped.value.code == NO_EMULATOR
    error = capsys.readouterr().err
    assert error.startswith(f"error: {emulator} -cpu EPYC: {told}") and "install qemu-user" in error

"""What a job fails with for good is told again, not tried again, by the same call."""

import pytest

from twostream.files import InterruptedJobError, UserError
from twostream.provenance.failures import failing_once
from twostream.provenance.locks import STARTED_BY


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(STARTED_BY, "call 1")


def attempt(error: BaseException | None = None) -> None:
    with failing_once("models/a.safetensors"):
        attempts.append(1)
        if error:
            raise error


@pytest.fixture(autouse=True)
def count():
    attempts.clear()


attempts: list[int] = []


def test_an_error_is_told_again_by_the_same_call_and_tried_again_by_the_next(monkeypatch):
    for _ in range(2):
        with pytest.raises(UserError, match="lower `rate`"):
            attempt(UserError("the loss is no longer finite; lower `rate`"))
    assert len(attempts) == 1
    monkeypatch.setenv(STARTED_BY, "call 2")
    attempt()
    assert len(attempts) == 2


@pytest.mark.parametrize("error", [InterruptedJobError("told to stop"), MemoryError(), SystemExit(1)])
def test_what_another_attempt_may_mend_is_tried_again(error):
    with pytest.raises(type(error)):
        attempt(error)
    attempt()
    assert len(attempts) == 2


def test_without_a_call_each_attempt_is_made(monkeypatch):
    monkeypatch.delenv(STARTED_BY)
    for _ in range(2):
        with pytest.raises(UserError):
            attempt(UserError("wrong"))
    assert len(attempts) == 2

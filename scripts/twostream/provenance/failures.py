"""What a job fails with for good: Snakemake's `retries` are for what more memory or another node may mend."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twostream.files import InterruptedJobError, UserError, write_json
from twostream.provenance.locks import STARTED_BY

FAILED = "scratch/failed/{artefact}.json"


@contextmanager
def failing_once(artefact: str) -> Iterator[None]:
    """Remember with what error a job fails, and fail at once with it when the same call tries it again.

    An interruption is no failure: it goes on where it was. Neither is what is no UserError: a job that is
    killed for its memory, say, cannot tell.
    """
    call, file = os.environ.get(STARTED_BY), Path(FAILED.format(artefact=artefact))
    if call and (before := _error_of(file, call)):
        raise UserError(f"{before}\n(told by an earlier attempt of this call; not tried again)")
    try:
        yield
    except InterruptedJobError:
        raise
    except UserError as error:
        if call:
            # The error itself is what matters.
            with suppress(OSError):
                write_json(file, {"call": call, "error": str(error)})
        raise
    with suppress(OSError):
        file.unlink(missing_ok=True)


def _error_of(file: Path, call: str) -> str | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads(file.read_text())
        return str(content["error"]) if content["call"] == call else None
    return None

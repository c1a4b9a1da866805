"""The trainings and the videos behind a result, by its records."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from twostream.files import some
from twostream.provenance.records import read_record


def made_from(*artefacts: str) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield artefacts, and the score files and models behind them, each once, with its record.

    What is made from others comes before these. None stands for the record of what is not here: scores
    may have been pulled without the models that made them.
    """
    waiting, seen = list(artefacts), set()
    while waiting:
        file = waiting.pop(0)
        if file not in seen:
            seen.add(file)
            record = read_record(file)
            yield file, record
            origins = record["made_from"] if record else []
            waiting += [origin for origin in origins if origin.startswith(("models/", "scores/"))]


def guessing_note(artefacts: Iterable[str]) -> str:
    """Return sentences on the models behind results that lost no less than by guessing; else nothing.

    That is, in training, after its first 5% (`training.stagnation`). Those that did so to their end are
    named: such a number tells of a training that did not work, and not of its method. Of others, which
    learned late, how many they are, and the latest.
    """
    until = {
        file: (record["no_better_than_guessing"], record["recipe"]["schedule"]["iterations"])
        for file, record in made_from(*artefacts)
        if record and "no_better_than_guessing" in record
    }
    never = [file for file, (last, all_of_them) in until.items() if last == all_of_them]
    late = {file: last / of for file, (last, of) in until.items() if last < of}
    sentences = []
    if never:
        sentences.append(f"In training, the loss was never better than by guessing: {', '.join(never)}.")
    if late:
        latest = max(late, key=late.__getitem__)
        iteration, of = until[latest]
        sentences.append(
            f"Trainings that learned, but only after the first 5% of their iterations: {len(late)}. The"
            f" latest got better than guessing by iteration {iteration:,} of {of:,}: {latest}."
        )
    return " ".join(sentences)


# What a shard's record tells of its videos, in words.
OF_VIDEOS = {
    "all_frames_equal": "all their frames are equal",
    "damaged": "something is damaged (their shards' records say what)",
}


def videos_note(artefacts: Iterable[str]) -> str:
    """Return sentences on the videos behind results that something is odd about; else nothing.

    It is what was told when they were indexed and their frames and flow were extracted, where these are here.
    """
    origins = {
        origin: None
        for _, record in made_from(*artefacts)
        for origin in (record or {}).get("made_from", ())
        if origin.startswith("data/")
    }
    found = {origin: record for origin in origins if (record := read_record(origin))}
    records = list(found.values())
    sentences = [_left_out(origin, record) for origin, record in found.items() if record.get("skipped")]
    for fact, words in OF_VIDEOS.items():
        if named := sorted({video for record in records for video in record.get(fact, ())}):
            sentences.append(f"Videos of which {words}: {some(named)}.")
    shares = [record["at_the_bound_percent"] for record in records if "at_the_bound_percent" in record]
    if shares:
        sentences.append(
            f"Flow was taken as it was given, clipped: up to {max(shares):g}% of a shard lie at the bound."
        )
    return " ".join(sentences)


def _left_out(index: str, record: Mapping[str, Any]) -> str:
    skipped, listed = record["skipped"], record["videos"] + record["skipped"]
    gone = f" ({record['not_had']:,} could not be had)" if record.get("not_had") else ""
    return f"Left out of {Path(index).stem}: {skipped:,} of {listed:,} listed videos{gone}."

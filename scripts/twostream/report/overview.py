"""What the report opens with: what was got, in a few numbers, and what these show and do not show."""

from collections.abc import Mapping
from html import escape

import pandas as pd

from twostream.config.recipes import Data, ReportRecipe
from twostream.report.forest import OUTCOMES, outcome
from twostream.results.accuracy import measured
from twostream.results.formatting import interval, number
from twostream.scores.fusion import matched
from twostream.scores.score_file import Scores

TITLES = {
    "spatial": "Spatial stream: sees frames",
    "temporal": "Temporal stream: sees optical flow",
    "fused": "Both streams, fused",
}
# What numbers on such data tell, and what not.
TELLS: dict[Data, str] = {
    "generated": (
        "Drawn videos, looks that perform motions before a moving camera: {ours}. They show whether the"
        " method works, and in which order its variants come in this model of the experiment. Their numbers"
        " say nothing about the paper's."
    ),
    "other": (
        "Videos that are not the paper's test: {ours}. The order of rows can be compared with the paper's,"
        " never the values."
    ),
    "paper": (
        "The paper's own videos: {ours}. Numbers can be put beside the paper's as far as networks and"
        " schedules are the paper's too."
    ),
}
ON_INTERVALS = (
    "Intervals (95%) resample groups of videos. They do not tell how much a training from another seed would"
    " differ."
)
SHOWS_FRAMES = "This file holds pictures of the videos: pass it on only if you may pass on these."


def on_data(recipe: ReportRecipe) -> list[str]:
    """Return sentences for each kind of data that numbers are for: what they tell, and what not."""
    found = []
    for data, words in TELLS.items():
        named = [
            f"{ours} in place of {recipe.names[ours]}" for ours, kind in recipe.data.items() if kind == data
        ]
        if named:
            found.append(words.format(ours=", ".join(named)))
    return found


def tells(recipe: ReportRecipe) -> str:
    """Return paragraphs on what the numbers show and what not, by the data that they are for."""
    sentences = [*on_data(recipe), ON_INTERVALS]
    if recipe.data[recipe.dataset] != "generated":
        sentences.append(SHOWS_FRAMES)
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def tiles(recipe: ReportRecipe, scores: Mapping[str, Scores], claims: pd.DataFrame | None) -> str:
    """Return in few numbers what came out: accuracies, who was right, and how many claims hold.

    Accuracies are those of each stream and of both. `scores` are the test parts, by the keys of
    `ReportRecipe.systems`; `claims` is results/claims.csv.
    """
    shown = [_accuracy(recipe, system, found) for system, found in scores.items()]
    shown.append(_who_is_right(scores))
    if claims is not None:
        shown.append(_claims(claims))
    return f'<ul class="tiles">{"".join(shown)}</ul>'


def _accuracy(recipe: ReportRecipe, system: str, scores: Scores) -> str:
    run, found = recipe.systems[system], measured([[scores]], recipe.interval)
    paper = recipe.published.get(run)
    told = f"; the paper on {recipe.names[recipe.dataset]}: {number(paper)}" if paper is not None else ""
    return (
        f'<li><span class="tile">{escape(TITLES[system])}</span>'
        f'<strong data-run="{escape(run)}">{number(found["accuracy"])}%</strong>'
        f"<span>{interval(found['interval_low'], found['interval_high'])} (95%){escape(told)}</span>"
        f'<span class="note">{escape(run)}; {escape(recipe.dataset)}, split {recipe.split}:'
        f" {len(scores.videos)} test videos</span></li>"
    )


def _who_is_right(scores: Mapping[str, Scores]) -> str:
    """How many videos both streams have right, one alone, or none, and how many of these the fusion has."""
    fused = scores["fused"]
    spatial, temporal = (matched(fused, scores[stream]).right() == 1 for stream in ("spatial", "temporal"))
    parts = {
        "both streams are right": spatial & temporal,
        "only the flow is": temporal & ~spatial,
        "only the frames are": spatial & ~temporal,
        "neither is": ~spatial & ~temporal,
    }
    right = fused.right() == 1
    lines = "".join(
        f"<span>{videos.sum()}: {words} (fused: {(videos & right).sum()})</span>"
        for words, videos in parts.items()
    )
    return f'<li><span class="tile">Who is right</span><strong>{len(right)} videos</strong>{lines}</li>'


def _claims(claims: pd.DataFrame) -> str:
    verdicts = claims.drop_duplicates("number")["claim_verdict"]
    counts = verdicts.map(lambda verdict: OUTCOMES[outcome(str(verdict))]).value_counts()
    lines = "".join(f"<span>{counts.get(words, 0)} {escape(words)}</span>" for words in OUTCOMES.values())
    return (
        f'<li><span class="tile">Of the paper, on this data</span><strong>{len(verdicts)} claims</strong>'
        f"{lines}</li>"
    )

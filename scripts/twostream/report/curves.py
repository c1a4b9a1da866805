"""Training curves, for each model its loss and its accuracy."""

from html import escape

import pandas as pd

from twostream.report.lines import Axis, Chart, ticks
from twostream.report.markup import read_values
from twostream.results.formatting import number

HEIGHT = 110


def curves(file: str) -> str:
    """Return the charts of figures/curves.csv; all losses have one scale, iterations do not."""
    table = read_values(file, ("model",))
    highest = table["loss"].max()
    axes = {
        "loss": Axis(0, highest, "loss", ticks(0, highest, 3)),
        "accuracy": Axis(0, 100, "accuracy", [0, 50, 100]),
    }
    shown = {name: axis for name, axis in axes.items() if name in table}
    drawn = [_model(str(name), of_one, shown) for name, of_one in table.groupby("model", sort=False)]
    return f'<div class="charts">{"".join(drawn)}</div>'


def _model(name: str, curve: pd.DataFrame, axes: dict[str, Axis]) -> str:
    last = curve.iloc[-1]
    words = {"loss": f"last loss {number(last['loss'], 2)} nats"}
    if "accuracy" in curve and pd.notna(last["accuracy"]):
        words["accuracy"] = f"last accuracy {number(last['accuracy'])}%"
    iterations = curve["iteration"].max()
    drops = curve["iteration"][curve["rate"].diff() < 0].tolist() if "rate" in curve else []
    charts = [
        Chart(
            title=f"{measure} of {name} over iterations",
            description=words[measure],
            x=Axis(0, iterations, f"iteration ({measure})", ticks(0, iterations, 4)),
            y=axis,
            lines={measure: list(curve[["iteration", measure]].itertuples(index=False, name=None))},
            rules=drops,
            height=HEIGHT,
        ).svg()
        for measure, axis in axes.items()
        if measure in words
    ]
    return (
        f"<figure><figcaption><b>{escape(name)}</b><br>{', '.join(words.values())}</figcaption>"
        f"{''.join(charts)}</figure>"
    )

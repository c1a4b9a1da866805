"""The accuracy of fused streams over the weight of the spatial one, a chart a fusion."""

from html import escape

import pandas as pd

from twostream.report.lines import Axis, Chart, Points, ticks
from twostream.report.markup import data_table, read_values
from twostream.results.formatting import Rows, interval, number


def weights(file: str) -> str:
    """Return the charts of figures/fusion_weight.csv, all with one scale, each with its values below."""
    table = read_values(file, ("fusion",))
    low, high = table["interval_low"].min(), table["interval_high"].max()
    axis = Axis(max(0.0, low - 1), min(100.0, high + 1), "accuracy", ticks(low, high, 6))
    drawn = [_fusion(str(name), of_one, axis) for name, of_one in table.groupby("fusion", sort=False)]
    return f'<div class="charts">{"".join(drawn)}</div>'


def _fusion(name: str, table: pd.DataFrame, axis: Axis) -> str:
    def points(column: str) -> Points:
        return list(zip(table["weight"], table[column], strict=True))

    chosen = table[table["chosen"]].iloc[0]
    words = f"weight {chosen['weight']:g}, chosen on the training videos: {number(chosen['accuracy'])}%"
    best = max(table.to_dict("records"), key=lambda row: row["accuracy"])
    words += f"; the best in hindsight, weight {best['weight']:g}: {number(best['accuracy'])}%"
    for equal in table.loc[table["weight"] == 0.5, "accuracy"]:
        words = f"equal weights: {number(equal)}%; {words}"
    chart = Chart(
        title=f"{name}, accuracy over the weight of the spatial stream",
        description=words,
        x=Axis(0, 1, "weight of the spatial stream", [0, 0.25, 0.5, 0.75, 1]),
        y=axis,
        lines={"accuracy": points("accuracy")},
        band=(points("interval_low"), points("interval_high")),
        rules=[0.5],
        mark=(chosen["weight"], chosen["accuracy"]),
    )
    values = f"<details><summary>values</summary>{data_table(_rows(table), f'{name} over weights')}</details>"
    return f"<figure><figcaption><b>{escape(name)}</b><br>{words}</figcaption>{chart.svg()}{values}</figure>"


def _rows(table: pd.DataFrame) -> Rows:
    rows: Rows = [("weight", "accuracy", "95% interval")]
    for row in table.to_dict("records"):
        numbers = number(row["accuracy"]), interval(row["interval_low"], row["interval_high"])
        rows.append((f"{row['weight']:.2f}", *numbers))
    return rows

"""What of the benchmark a scale can do; the rest is left out, and told.

A scale may have one dataset in place of the paper's two, and fewer splits than rows of tables are over.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain

from twostream.config.benchmark import Benchmark, Claim, Comparison, Role, Row, Run, Table
from twostream.config.scale import Scale

# Of each table, of the claims and of `two_stream`, in words what is left out and why.
LeftOut = dict[str, list[str]]


def fit(benchmark: Benchmark, scale: Scale) -> tuple[Benchmark, LeftOut]:
    """Return the benchmark without the rows, tables and claims that a scale cannot do, and what these are.

    A row or comparison goes whose role has no dataset, or a dataset with fewer splits; and, where there is
    no secondary dataset, one whose run learns from a second one that its dataset does not name. A table
    goes without a row of ours, a claim without a comparison. If the two-stream model is none of what is
    left, the last of the other fusions that can be made takes its place.
    """
    fitting = _Fitting(benchmark, scale)
    return fitting.fitted(), dict(fitting.left_out)


class _Fitting:
    """One benchmark on its way to one scale, and what of it was left out."""

    def __init__(self, benchmark: Benchmark, scale: Scale) -> None:
        self._benchmark, self._scale = benchmark, scale
        self.left_out: LeftOut = defaultdict(list)

    def fitted(self) -> Benchmark:
        """The benchmark without what the scale cannot do."""
        tables, more = map(self._tables, (self._benchmark.tables, self._benchmark.more_tables))
        claims = [self._claim(claim) for claim in self._benchmark.claims]
        changed = {
            "tables": tables,
            "more_tables": more,
            "claims": [claim for claim in claims if claim],
            "two_stream": self._two_stream(),
        }
        return self._benchmark.model_copy(update=changed)

    def _tables(self, tables: dict[str, Table]) -> dict[str, Table]:
        fitted = {name: self._table(name, table) for name, table in tables.items()}
        return {name: table for name, table in fitted.items() if table}

    def _table(self, name: str, table: Table) -> Table | None:
        reasons = [self._why_no_row(row) for row in table.rows]
        kept = [row for row, reason in zip(table.rows, reasons, strict=True) if not reason]
        if not any(row.run for row in kept):
            why = _listed(reason for reason in reasons if reason)
            self.left_out[name].append(f"{name}: is left out: {why}")
            return None
        labels: dict[str, list[str]] = defaultdict(list)
        for row, reason in zip(table.rows, reasons, strict=True):
            if reason:
                labels[reason].append(", ".join(filter(None, [row.row, row.setting])))
        for reason, rows in labels.items():
            self.left_out[name].append(f"{name}: left out, as {reason}: {'; '.join(rows)}")
        return table.model_copy(update={"rows": kept})

    def _claim(self, claim: Claim) -> Claim | None:
        reasons = [self._why_no_comparison(comparison) for comparison in claim.comparisons]
        pairs = zip(claim.comparisons, reasons, strict=True)
        kept = [comparison for comparison, reason in pairs if not reason]
        if len(kept) < len(reasons):
            judged = f"judged by {len(kept)} of its {len(reasons)} comparisons" if kept else "not judged"
            why = _listed(reason for reason in reasons if reason)
            self.left_out["claims"].append(f"claim {claim.number} ({claim.claim}): is {judged}: {why}")
        return claim.model_copy(update={"comparisons": kept}) if kept else None

    def _two_stream(self) -> str:
        named = self._benchmark.two_stream
        reason = self._why_not(named, "primary", [1])
        others = [name for name in self._benchmark.fusions if not self._why_not(name, "primary", [1])]
        ours = [name for name in others if self._is_of_our_two(name)]
        if not reason or not ours:
            return named
        self.left_out["two_stream"].append(f"two_stream: is {ours[-1]}, not {named}: {reason}")
        return ours[-1]

    def _is_of_our_two(self, name: str) -> bool:
        """Whether a fusion is of the paper's two streams, both trained here."""
        fusion = self._benchmark.fusions[name]
        return fusion.is_two_stream and not self._benchmark.methods.keys() & set(fusion.streams.values())

    def _why_no_row(self, row: Row) -> str:
        if row.run:
            return self._why_not(row.run, row.dataset, row.splits)
        return "" if self._scale.roles.dataset(row.dataset) else _no_dataset(row.dataset)

    def _why_no_comparison(self, comparison: Comparison) -> str:
        named = chain(*comparison.pairs)
        reasons = (self._why_not(name, comparison.dataset, comparison.splits) for name in named)
        return next(filter(None, reasons), "")

    def _why_not(self, name: str, role: Role, splits: list[int]) -> str:
        """Why a run, fusion or method cannot be on these splits; nothing if it can."""
        dataset = self._scale.roles.dataset(role)
        if dataset is None:
            return _no_dataset(role)
        settings = self._scale.datasets[dataset]
        if max(splits) > settings.splits:
            return f"{dataset} has no split {max(splits)}"
        alone = self._scale.roles.secondary is None and settings.auxiliary is None
        if alone and any(_learns_from_two(run) for run in self._benchmark.runs_of(name)):
            return f"{name} learns from a second dataset"
        return ""


def _learns_from_two(run: Run) -> bool:
    return run.auxiliary is not None or run.initialisation not in ("scratch", "images")


def _no_dataset(role: Role) -> str:
    return f"`roles` has no {role} dataset"


def _listed(reasons: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(reasons))

"""All disentanglement metrics of two arrays: scores with bootstrap errors, chance baselines and protocols.

A bootstrap of rows with replacement would put copies of a row into training and test rows, and make a row its own
nearest neighbour. The errors are therefore those of half-samples without replacement: their standard deviation
estimates the standard error of all rows (Shao & Wu 1989, the delete-d jackknife with d = N / 2).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .checking import discretise
from .disentanglement import (
    BINS,
    active_units,
    beta_vae_score,
    dci,
    factor_vae_score,
    mig,
    modularity,
    sap,
    total_correlation,
)
from .infomec import infomec

MIN_ROWS = 20
SEEDS = (0, 1, 2)  # of votes and pairs, and of random codes
BOOTSTRAP = 20  # half-samples
SLOW_BOOTSTRAP = 5  # of DCI, which takes minutes
MIN_PARALLEL = 2000  # rows
MIN_SHARED = 10  # rows with the same value of a factor, for votes and pairs
MAX_RARE = 0.05  # of the rows, which may have a value that fewer rows share
PLUS_MINUS = r"$\pm$"


class FactorColumn(NamedTuple):
    """How a factor was read."""

    name: str
    values: int  # different values in the array
    rule: str  # "classes", "20 equal-width bins" or "constant, left out"


class Score(NamedTuple):
    """One score. What could not be computed has a value of None and a reason."""

    metric: str  # name in vae.metrics
    field: str  # of its result
    label: str
    value: float | None  # mean over seeds
    error: float | None  # standard deviation over half-samples; None where fewer than two have the score
    seeds: tuple[float, ...]  # the value of each seed; one where the metric has none
    chance: float | None  # mean over random codes; None where no factors enter
    chance_error: float | None  # standard deviation over the random codes
    digits: str
    protocol: str
    reason: str = ""


class Report(NamedTuple):
    """The scores of codes (N, D) for factors (N, K)."""

    rows: int
    dimensions: int
    discrete: bool
    factors: tuple[FactorColumn, ...]
    scores: tuple[Score, ...]
    notes: tuple[str, ...]  # sentences that hold for all scores

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Return a table, the reasons for missing scores, and how each score was measured."""
        table = [("metric", "score", "chance"), *((s.label, *_cells(s, "±", "–")) for s in self.scores)]
        widths = [max(len(row[i]) for row in table) for i in range(3)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                 for row in table]  # fmt: skip
        lines.insert(1, "  ".join("-" * width for width in widths))
        how = [f"{line}." for line in self._protocols()]
        columns = [f"{f.name}: {f.values:,} values, {f.rule}." for f in self.factors]
        return "\n".join([*lines, "", *self.notes, "", "Factors:", *columns, "", "How it was measured:", *how]) + "\n"

    def _protocols(self) -> list[str]:
        """Return how each score was measured, or why it is missing; scores of one measurement share a line."""
        labels: dict[str, list[str]] = {}
        for score in self.scores:
            labels.setdefault(score.reason or score.protocol, []).append(score.label)
        return [f"{'; '.join(names)}: {text}" for text, names in labels.items()]

    def json(self) -> str:
        """Return everything as JSON. Missing values are null."""
        content = self._asdict() | {
            "factors": [f._asdict() for f in self.factors], "scores": [s._asdict() for s in self.scores],
        }  # fmt: skip
        return json.dumps(content, indent=1, allow_nan=False) + "\n"

    def latex(self) -> str:
        """Return a LaTeX table for the package booktabs; how each score was measured follows as comments."""
        rows = [" & ".join((_escaped(s.label), *_cells(s, PLUS_MINUS, "--"))) + r" \\" for s in self.scores]
        how = [f"% {line}" for line in self._protocols()]
        return "\n".join([
            r"\begin{tabular}{lrr}", r"\toprule", r"Metric & Score & Chance \\", r"\midrule", *rows, r"\bottomrule",
            r"\end{tabular}", *(f"% {note}" for note in self.notes),
            *(f"% factor {f.name}: {f.values} values, {f.rule}" for f in self.factors), *how,
        ]) + "\n"  # fmt: skip


class Data(NamedTuple):
    """What the metrics are computed from."""

    codes: np.ndarray  # (N, D) float64
    classes: np.ndarray  # (N, K) int64
    columns: tuple[FactorColumn, ...]
    discrete: bool
    bins: int
    seeds: tuple[int, ...]
    bootstrap: int

    def random_codes(self, seed: int) -> np.ndarray:
        """Return codes without information about the factors: normal ones, or the discrete ones in random order."""
        if self.discrete:
            return self.codes[np.random.default_rng(seed).permutation(len(self.codes))]
        return np.random.RandomState(seed).standard_normal(self.codes.shape)

    def halves(self, n: int) -> Iterator[np.ndarray]:
        """Yield the rows of n random half-samples, in their order."""
        rng = np.random.default_rng(0)
        for _ in range(n):
            yield np.sort(rng.permutation(len(self.codes))[: len(self.codes) // 2])


class Metric(NamedTuple):
    """One function of vae.metrics, as the report calls it."""

    name: str
    fields: dict[str, str]  # {field of its result: label}
    # the report's data, codes (N, D), factors (N, K) class numbers, seed -> its result
    compute: Callable[[Data, np.ndarray, np.ndarray, int], Any]
    seeded: bool = False  # samples votes or pairs of rows
    uses_factors: bool = True
    min_factors: int = 1  # that vary, for a score that is not the same for every code
    slow: bool = False
    digits: str = ".3f"


def _jobs(codes: np.ndarray) -> int:
    """Return the processes for DCI's trees: of few rows they are done before a process has started."""
    return -1 if len(codes) > MIN_PARALLEL else 1


METRICS = (
    Metric(
        "mig", {"mig": "MIG", "once": "MIG, each dimension once"},
        lambda data, c, f, seed: mig(c, f, data.bins, baseline=False, resamples=0),
    ),
    Metric("sap", {"sap": "SAP"}, lambda data, c, f, seed: sap(c, f, baseline=False)),
    Metric(
        "dci",
        {"disentanglement": "DCI disentanglement", "completeness": "DCI completeness",
         "informativeness": "DCI informativeness"},
        lambda data, c, f, seed: dci(c, f, baseline=False, jobs=_jobs(c)), slow=True,
    ),
    Metric(
        "modularity", {"modularity": "modularity"},
        lambda data, c, f, seed: modularity(c, f, data.bins, baseline=False), min_factors=2,
    ),
    Metric(
        "factor_vae_score", {"score": "FactorVAE score"},
        lambda data, c, f, seed: factor_vae_score(c, f, seed, baseline=False), seeded=True, min_factors=2,
    ),
    Metric(
        "beta_vae_score", {"score": "beta-VAE score"},
        lambda data, c, f, seed: beta_vae_score(c, f, seed, baseline=False), seeded=True, min_factors=2,
    ),
    Metric(
        "infomec", {"infom": "InfoM (modularity)", "infoc": "InfoC (compactness)", "infoe": "InfoE (explicitness)"},
        lambda data, c, f, seed: infomec(c, f, data.discrete, baseline=False), min_factors=2,
    ),
    Metric(
        "total_correlation", {"total_correlation": "Gaussian total correlation, nats"},
        lambda data, c, f, seed: total_correlation(c), uses_factors=False,
    ),
    Metric(
        "active_units", {"active_units": "active units"},
        lambda data, c, f, seed: active_units(c), uses_factors=False, digits=".0f",
    ),
)  # fmt: skip


def report(
    codes: np.ndarray, factors: np.ndarray, names: Sequence[str] = (), *, discrete: bool | None = None,
    seeds: Sequence[int] = SEEDS, bootstrap: int = BOOTSTRAP, bins: int = BINS, without: Sequence[str] = (),
    progress: Callable[[str, float], None] | None = None,
) -> Report:  # fmt: skip
    """Score codes (N, D) for factors (N, K), both of the same N rows: every disentanglement metric of vae.metrics.

    codes: posterior means, or indices of discrete codes. discrete: whether each value of a code is a class; by default
    where all are whole numbers. factors: class numbers, texts or real numbers; `discretise` divides a continuous
    column into bins. names: of the factors. seeds: of votes, pairs and random codes. bootstrap: number of
    half-samples, 0 for no errors. without: names of metrics to leave out. progress: called with the metric and the
    share that is done.

    Raises ValueError, with one sentence, for arrays that do not go together, fewer than 20 rows, values that are not
    finite, and codes or factors that are all constant.
    """
    codes, factors, names = _checked(codes, factors, names)
    unknown = [name for name in without if name not in {metric.name for metric in METRICS}]
    if unknown:
        raise ValueError(f"there is no metric {unknown[0]!r}: expected {', '.join(m.name for m in METRICS)}")
    if not seeds or bootstrap < 0:
        raise ValueError("the report needs at least one seed, and 0 or more half-samples")
    classes = discretise(factors, bins)
    columns = tuple(_described(name, factors[:, k], classes[:, k], bins) for k, name in enumerate(names))
    if all(column.values == 1 for column in columns):
        raise ValueError("every factor is constant: there is nothing to compare the codes with")
    if discrete is None:
        discrete = bool((codes == np.rint(codes)).all())
    if discrete:
        codes = np.stack([np.unique(column, return_inverse=True)[1] for column in codes.T], 1).astype(np.float64)
        bins = max(2, int(codes.max()) + 1)  # one bin for each value
    data = Data(codes, classes, columns, discrete, bins, tuple(seeds), bootstrap)
    chosen = [metric for metric in METRICS if metric.name not in without]
    scores: list[Score] = []
    for i, metric in enumerate(chosen):
        if progress is not None:
            progress(metric.name, i / len(chosen))
        scores += _scores(metric, data)
    n, d = codes.shape
    return Report(n, d, discrete, columns, tuple(scores), tuple(_notes(data)))


def _scores(metric: Metric, data: Data) -> list[Score]:
    """Return the scores of one metric, or the reason why it has none."""
    seeds = data.seeds if metric.seeded else data.seeds[:1]
    reason = _obstacle(metric, data)
    results: list[Any] = []
    if not reason:
        try:
            results = [metric.compute(data, data.codes, data.classes, seed) for seed in seeds]
        except ValueError as error:
            reason = str(error)
    if reason:
        return [Score(metric.name, f, label, None, None, (), None, None, metric.digits, "", reason)
                for f, label in metric.fields.items()]  # fmt: skip
    halves, random = _resampled(metric, data), _by_chance(metric, data)
    return [_score(metric, data, field, results, halves, random) for field in metric.fields]


def _score(metric: Metric, data: Data, field: str, results: list, halves: list, random: list) -> Score:
    values = [float(getattr(result, field)) for result in results]
    label = metric.fields[field]
    if field == "disentanglement" and sum(column.values > 1 for column in data.columns) < 2:
        reason = "it compares factors, and with a single one it is 1 for every code"
    else:
        reason = "" if all(map(math.isfinite, values)) else "one dimension is a linear function of others"
    if reason:
        return Score(metric.name, field, label, None, None, (), None, None, metric.digits, "", reason)
    chances = [float(getattr(result, field)) for result in random]
    return Score(
        metric.name, field, label, float(np.mean(values)),
        _spread([float(getattr(result, field)) for result in halves]), tuple(values),
        float(np.mean(chances)) if chances else None, _spread(chances), metric.digits,
        _protocol(metric, data, results),
    )  # fmt: skip


def _obstacle(metric: Metric, data: Data) -> str:
    """Return why a metric has no score for these arrays, as a sentence without its full stop; "" where it has one."""
    varying = [k for k, column in enumerate(data.columns) if column.values > 1]
    if len(varying) < metric.min_factors:
        return "it compares factors: it needs two that vary"
    if metric.seeded:
        for k in varying:
            shared = np.bincount(data.classes[:, k])[data.classes[:, k]]
            rare = float((shared < MIN_SHARED).mean())
            if rare > MAX_RARE:
                return (
                    f"it compares rows that share a factor's value, and {rare:.0%} of the rows have a value of "
                    f"{data.columns[k].name} that fewer than {MIN_SHARED} rows share"
                )
    return ""


def _resampled(metric: Metric, data: Data) -> list[Any]:
    """Return the results of half-samples; one without a score, such as without a class, is left out."""
    found = []
    for seed, rows in enumerate(data.halves(_half_samples(metric, data))):
        try:
            found.append(metric.compute(data, data.codes[rows], data.classes[rows], seed))
        except ValueError:
            continue
    return found


def _half_samples(metric: Metric, data: Data) -> int:
    return min(data.bootstrap, SLOW_BOOTSTRAP) if metric.slow else data.bootstrap


def _by_chance(metric: Metric, data: Data) -> list[Any]:
    """Return the results of random codes."""
    if not metric.uses_factors:
        return []
    seeds = data.seeds[:1] if metric.slow else data.seeds
    return [metric.compute(data, data.random_codes(seed), data.classes, seed) for seed in seeds]


def _spread(values: list[float]) -> float | None:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.std(finite, ddof=1)) if len(finite) > 1 else None


def _protocol(metric: Metric, data: Data, results: list) -> str:
    protocol = getattr(results[0], "protocol", f"dimensions whose variance is above 0.01, {len(data.codes):,} rows")
    if data.discrete:
        protocol = protocol.replace(f"{data.bins} equal-width bins", "one bin for each value")
    parts = [protocol.replace("images", "rows")]
    if metric.seeded:
        parts.append(f"mean of seeds {', '.join(map(str, data.seeds))}")
    if n := _half_samples(metric, data):
        parts.append(f"± over {n} half-samples")
    return "; ".join(parts)


def _notes(data: Data) -> Iterator[str]:
    n, d = data.codes.shape
    kind = "discrete" if data.discrete else "continuous"
    yield f"{n:,} rows, {d} {kind} dimensions, {len(data.columns)} factors."
    if data.bootstrap:
        yield (
            "The error of a score is the standard deviation over half-samples without replacement. So no "
            "row is in the training and the test rows at once."
        )
    baseline = "the same codes in random order" if data.discrete else "standard normal codes"
    yield f"Chance is the score of {baseline}, seeds {', '.join(map(str, data.seeds))}; of DCI, the first seed."
    if data.discrete:
        yield (
            "MIG, modularity and InfoMEC use the values of discrete codes as classes. The other metrics use them as "
            "numbers."
        )


def _described(name: str, column: np.ndarray, classes: np.ndarray, bins: int) -> FactorColumn:
    values = len(np.unique(column))
    if values == 1:
        return FactorColumn(name, 1, "constant, left out")
    binned = len(np.unique(classes)) < values
    return FactorColumn(name, values, f"continuous, {bins} equal-width bins" if binned else "classes")


def _checked(
    codes: np.ndarray, factors: np.ndarray, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return codes (N, D) float64, factors (N, K) and their names. A vector (N,) is one column."""
    codes, factors = (array[:, None] if array.ndim == 1 else array for array in map(np.asarray, (codes, factors)))
    if codes.ndim != 2 or factors.ndim != 2 or not codes.shape[1] or not factors.shape[1]:
        raise ValueError(f"codes must be (N, D) and factors (N, K), not {codes.shape} and {factors.shape}")
    if len(codes) != len(factors):
        raise ValueError(f"codes have {len(codes):,} rows and factors {len(factors):,}: both need one for each image")
    if len(codes) < MIN_ROWS:
        raise ValueError(f"scores need at least {MIN_ROWS} rows, not {len(codes)}")
    names = names or [f"factor {k}" for k in range(factors.shape[1])]
    names = tuple(" ".join(str(name).split()) for name in names)
    if len(names) != factors.shape[1]:
        raise ValueError(f"there are {len(names)} names for {factors.shape[1]} factors")
    active_units(codes)  # raises ValueError for values that are not finite numbers
    codes = np.asarray(codes, np.float64)
    if not np.ptp(codes, axis=0).any():
        raise ValueError("every dimension of the codes is constant: they carry no information about the factors")
    return codes, factors, names


def _cells(score: Score, plus_minus: str, missing: str) -> tuple[str, str]:
    return tuple(
        missing if value is None
        else f"{value:{score.digits}}" + ("" if error is None else f" {plus_minus} {error:{score.digits}}")
        for value, error in ((score.value, score.error), (score.chance, score.chance_error))
    )  # type: ignore[return-value]  # fmt: skip


SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}  # fmt: skip


def _escaped(text: str) -> str:
    """Escape a text for LaTeX."""
    return "".join(SPECIAL.get(character, character) for character in text)

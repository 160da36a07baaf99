"""Three questions about each known factor: whether reconstructions keep it, codes hold it, and one dimension owns it.

A factor whose values have an order is predicted as a number, and one whose values close a circle as cosine and sine;
the score of both is R2: 1 for a perfect prediction, 0 for the mean. Any other factor is a class, and the score is the
accuracy. See data.base.Factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..data.base import Factors
from .checking import checked_codes

OWNS = 2.0  # a dimension owns a factor if its information is so many times that of the second
HELD_PROTOCOL = (
    "boosted trees (histogram gradient boosting) on {train:,} mean codes, tested on {test:,}. The score is the "
    "accuracy for classes and R2 for ordered factors. For angles and hues it is the mean R2 of cosine and sine. Where "
    "a shape looks the same n times in a turn, n times the angle is used"
)


class Part(NamedTuple):
    """A factor, or a factor on the images where one symmetry holds."""

    name: str
    factor: int
    rows: np.ndarray  # (M,) images
    table: np.ndarray | None  # (V, T) numbers that stand for each value; None where values are classes


def parts(factors: Factors, values: np.ndarray) -> list[Part]:
    """Return the parts of K factors that vary in values (N, K), in the order of the factors."""
    every, found = np.arange(len(values)), []
    for k, name in enumerate(factors.names):
        cycle = factors.cycles.get(name)
        if cycle is not None:
            by = factors.names.index(cycle.by) if cycle.by else None
            groups = {"": every} if by is None else {
                f" ({value})": np.flatnonzero(values[:, by] == v) for v, value in enumerate(factors.values[by])
            }  # fmt: skip
            for v, (suffix, rows) in enumerate(groups.items()):
                repeats = 1 if by is None else cycle.repeats.get(factors.values[by][v], 1)
                angle = 2 * np.pi * repeats * np.array(cycle.turns)
                found.append(Part(name + suffix, k, rows, np.stack([np.cos(angle), np.sin(angle)], 1)))
        elif name in factors.ordered:
            found.append(Part(name, k, every, np.arange(len(factors.values[k]), dtype=float)[:, None]))
        else:
            found.append(Part(name, k, every, None))
    return [part for part in found if len(np.unique(values[part.rows, part.factor])) > 1]


def kept(probabilities: Sequence[np.ndarray], factors: Factors, values: np.ndarray) -> dict[str, float]:
    """Return how well a classifier's probabilities of each factor's values agree with the true values (N, K).

    probabilities: (N, V_k) for each of K factors, of reconstructions (or of originals, to compare with). A number is
    predicted by its expected value.
    """
    found = {}
    for part in parts(factors, values):
        p, true = probabilities[part.factor][part.rows], values[part.rows, part.factor]
        if part.table is None:
            found[part.name] = float((p.argmax(1) == true).mean())
        else:
            found[part.name] = _r2(part.table[true], p @ part.table)
    return found


def held(codes: np.ndarray, factors: Factors, values: np.ndarray) -> dict[str, float]:
    """Return how well boosted trees predict each factor from codes (N, D), on the last third of the rows.

    values (N, K). A part whose training rows are of one value is left out.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    options: dict[str, Any] = dict(early_stopping=False, random_state=0)
    codes, found = checked_codes(codes), {}
    for part in parts(factors, values):
        x, true = codes[part.rows], values[part.rows, part.factor]
        cut = train_rows(len(x))
        if len(np.unique(true[:cut])) < 2 or cut == len(x):
            continue
        if part.table is None:
            trees = HistGradientBoostingClassifier(**options).fit(x[:cut], true[:cut])
            found[part.name] = float(trees.score(x[cut:], true[cut:]))
        else:
            predicted = [
                HistGradientBoostingRegressor(**options).fit(x[:cut], y[:cut]).predict(x[cut:])
                for y in part.table[true].T
            ]
            found[part.name] = _r2(part.table[true[cut:]], np.stack(predicted, 1))
    return found


def train_rows(n: int) -> int:
    """Return how many of n rows train the trees."""
    return n * 2 // 3


def chance(factors: Factors, values: np.ndarray) -> dict[str, float]:
    """Return the score of each part without information: the share of the most frequent class, or an R2 of 0."""
    found = {}
    for part in parts(factors, values):
        counts = np.bincount(values[part.rows, part.factor])
        found[part.name] = float(counts.max() / counts.sum()) if part.table is None else 0.0
    return found


def owners(nmi: np.ndarray, active: Sequence[int]) -> tuple[int | None, ...]:
    """Return the dimension that owns each factor, None where none does.

    nmi (D, K): the information of dimensions about factors; nan for a constant factor. Only active dimensions count.
    The owner has at least OWNS times the information of the second.
    """
    found: list[int | None] = []
    for column in nmi.T:
        order = sorted(active, key=lambda d: -column[d])
        second = column[order[1]] if len(order) > 1 else 0.0
        owned = bool(order) and column[order[0]] > 0 and column[order[0]] >= OWNS * second
        found.append(int(order[0]) if owned else None)
    return tuple(found)


def _r2(true: np.ndarray, predicted: np.ndarray) -> float:
    """Return the R2 of predictions (N, T), mean over columns that vary."""
    total = ((true - true.mean(0)) ** 2).sum(0)
    error = ((true - predicted) ** 2).sum(0)
    varies = total > 1e-9 * len(true)  # the sine of half turns varies by rounding
    return float((1 - error[varies] / total[varies]).mean()) if varies.any() else 0.0

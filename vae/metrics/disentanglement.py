"""Disentanglement measures, as disentanglement_lib (Locatello et al. 2019) computes them.

All take codes (N, D) float, the posterior means of N images, and factors (N, K) int. Every result has its protocol,
the factors left out because they are constant, and (where `baseline` is true) the score of standard normal codes of
the same shape, seed 0: that of a model without information about the factors. Where a measure fits a classifier, it is
trained on the first two thirds of the rows and scored on the last third. If one of these parts lacks a value of a
factor, the rows are shuffled first (seed 0).

Factors are classes: numbers or strings that recur. For continuous factors see `discretise`.

All raise ValueError for codes and factors that do not go together, for values that are not numbers or not finite
(naming dimension or column), for continuous factors and where every factor is constant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from .checking import (
    checked,
    checked_codes,
    constant_factors,
    entropies,
    equal_width_bins,
    joint_information,
    random_codes,
)

BATCH = 64  # codes behind one vote of factor_vae_score and one point of beta_vae_score
TRAIN_POINTS, TEST_POINTS = 10_000, 5_000  # votes, points
BINS = 20
RESAMPLES = 200  # bootstrap samples behind a standard error
SVM_C = 0.01
ACTIVE = 0.01  # variance of an active dimension's posterior mean

# The protocol of each result. vae.evaluation describes the figures on cards by the same sentences.
BINS_PROTOCOL = "mean codes of {images:,} images, {bins} equal-width bins"
ERROR_PROTOCOL = "{resamples} bootstrap samples of the {images:,} images, with the same bins"
ONCE_PROTOCOL = "as MIG ({bins} bins), where a dimension counts for the factor of its largest gap; other gaps are 0"
SAP_PROTOCOL = "linear SVM (C = {C}) on {train:,} mean codes, tested on {test:,}"
DCI_PROTOCOL = "gradient-boosted trees on {train:,} mean codes, tested on {test:,}"
VOTES_PROTOCOL = "{train:,} votes to train on, {test:,} to test, each from {batch} of {images:,} mean codes"
PAIRS_PROTOCOL = "{train:,} points to train on, {test:,} to test, each from {batch} pairs of {images:,} mean codes"
GAUSSIAN_PROTOCOL = "Gaussian, so it measures linear dependence alone; {images:,} mean codes, active dimensions"


class MIG(NamedTuple):
    """The mutual information gap, with what it was computed from."""

    mig: float  # mean over factors of the gap
    gaps: tuple[float | None, ...]  # (K,) gap of each factor; None for a constant one
    mutual_information: np.ndarray  # (D, K) nats
    entropy: np.ndarray  # (K,) nats
    constant: tuple[int, ...]
    protocol: str
    random: float | None
    error: float | None  # standard error of `mig`, by resampling images
    once: float  # the same mean, with each dimension counted for one factor alone
    once_error: float | None


class SAP(NamedTuple):
    sap: float  # mean over factors of the gap in accuracy
    gaps: tuple[float | None, ...]  # (K,); None for a constant factor
    accuracy: np.ndarray  # (D, K) on test rows; nan for a constant factor
    constant: tuple[int, ...]
    protocol: str
    random: float | None


class Modularity(NamedTuple):
    modularity: float  # mean over dimensions
    per_dim: np.ndarray  # (D,)
    mutual_information: np.ndarray  # (D, K) nats
    constant: tuple[int, ...]
    protocol: str
    random: float | None


class DCI(NamedTuple):
    disentanglement: float
    completeness: float
    informativeness: float  # accuracy on test rows, mean over factors
    importance: np.ndarray  # (D, K) each column sums to 1; 0 for a constant factor
    constant: tuple[int, ...]
    protocol: str
    random: float | None  # disentanglement of random codes


class FactorVAEScore(NamedTuple):
    score: float  # accuracy on test votes, 0 to 1
    active: tuple[int, ...]  # dimensions that may be voted for
    constant: tuple[int, ...]
    protocol: str
    random: float | None


class BetaVAEScore(NamedTuple):
    score: float  # accuracy on test points, 0 to 1
    constant: tuple[int, ...]
    protocol: str
    random: float | None


class TotalCorrelationEstimate(NamedTuple):
    total_correlation: float  # nats
    protocol: str


class ActiveUnits(NamedTuple):
    active_units: int
    variances: np.ndarray  # (D,) variance of each posterior mean over the data


def mig(
    codes: np.ndarray, factors: np.ndarray, bins: int = BINS, baseline: bool = True, resamples: int = RESAMPLES
) -> MIG:
    """Return the mutual information gap (Chen et al. 2018).

    For each factor, it is the difference between the two largest mutual informations with a dimension, divided by the
    factor's entropy. `once` counts each dimension for one factor: where a dimension is the most informative about
    several factors, only the largest of their gaps counts, and the others are 0. The standard errors are those of
    `resamples` bootstrap samples of the images, with the bins of all images; 0 leaves them out.
    Raises ValueError for fewer than two dimensions.
    """
    codes, factors, varying = checked(codes, factors, dimensions=2)
    binned = _binned(codes, bins)
    information, entropy = _mutual_information(binned, factors), entropies(factors)
    gaps = _gaps(information, entropy)
    resampled = _resampled_gaps(binned, factors, resamples)
    error, once_error = resampled.std(0, ddof=1).tolist() if len(resampled) > 1 else (None, None)
    return MIG(
        _mean(gaps), tuple(gaps), information, entropy, constant_factors(varying),
        BINS_PROTOCOL.format(images=len(codes), bins=bins),
        mig(random_codes(codes), factors, bins, baseline=False, resamples=0).mig if baseline else None,
        error, _once(gaps, information), once_error,
    )  # fmt: skip


def _gaps(information: np.ndarray, entropy: np.ndarray) -> list[float | None]:
    """Return the gap of each factor from mutual information (D, K) and entropies (K,); None for a constant factor."""
    second, first = np.sort(information, axis=0)[-2:]
    return [float((first[k] - second[k]) / h) if h > 0 else None for k, h in enumerate(entropy)]


def _once(gaps: list[float | None], information: np.ndarray) -> float:
    """Return the mean gap, where a dimension's largest gap counts and its others are 0."""
    largest: dict[int, float] = {}
    for gap, d in zip(gaps, information.argmax(0).tolist(), strict=True):
        if gap is not None:
            largest[d] = max(largest.get(d, 0.0), gap)
    return sum(largest.values()) / sum(gap is not None for gap in gaps)


def _resampled_gaps(binned: np.ndarray, factors: np.ndarray, resamples: int) -> np.ndarray:
    """Return the mean gap, and the one with each dimension counted once, of bootstrap samples: (resamples, 2)."""
    rng, n = np.random.default_rng(0), len(binned)
    found = []
    for _ in range(resamples):
        weights = np.bincount(rng.integers(n, size=n), minlength=n)
        information = _mutual_information(binned, factors, weights)
        gaps = _gaps(information, entropies(factors, weights))
        if any(gap is not None for gap in gaps):  # a sample of a few images may be of one value
            found.append((_mean(gaps), _once(gaps, information)))
    return np.array(found)


def modularity(
    codes: np.ndarray, factors: np.ndarray, bins: int = BINS, baseline: bool = True
) -> Modularity:
    """Return the modularity (Ridgeway & Mozer 2018), from squared mutual informations.

    It is 1 for a dimension that is informative about a single factor, and 0 for a dimension that is informative about
    none. Raises ValueError for fewer than two factors that vary.
    """
    codes, factors, varying = checked(codes, factors)
    if varying.sum() < 2:
        raise ValueError("modularity compares factors: it needs two that vary")
    information = _mutual_information(_binned(codes, bins), factors)
    squared = information[:, varying] ** 2
    largest = squared.max(1)
    others = squared.sum(1) - largest
    with np.errstate(invalid="ignore"):
        per_dim = np.where(largest > 0, 1 - others / (largest * (squared.shape[1] - 1)), 0.0)
    return Modularity(
        float(per_dim.mean()), per_dim, information, constant_factors(varying),
        BINS_PROTOCOL.format(images=len(codes), bins=bins),
        modularity(random_codes(codes), factors, bins, baseline=False).modularity if baseline else None,
    )  # fmt: skip


def sap(codes: np.ndarray, factors: np.ndarray, baseline: bool = True) -> SAP:
    """Return the separated attribute predictability (Kumar et al. 2018).

    For each factor, it is the difference between the accuracies of the two dimensions that predict it best, each with
    a linear SVM (C = 0.01, balanced classes, one against the rest). Raises ValueError for fewer than two dimensions,
    and where a factor is constant in the training rows.
    """
    codes, factors, varying = checked(codes, factors, dimensions=2)
    codes, factors, cut, note = _in_random_order(codes, factors, varying)
    accuracy = np.full((codes.shape[1], factors.shape[1]), np.nan)
    for d in range(codes.shape[1]):
        for k in np.flatnonzero(varying):
            predict = _linear_svm(codes[:cut, d], factors[:cut, k])
            accuracy[d, k] = (predict(codes[cut:, d]) == factors[cut:, k]).mean()
    second, first = np.sort(accuracy, axis=0)[-2:]
    gaps = [float(first[k] - second[k]) if varying[k] else None for k in range(len(varying))]
    return SAP(
        _mean(gaps), tuple(gaps), accuracy, constant_factors(varying),
        SAP_PROTOCOL.format(C=SVM_C, train=cut, test=len(codes) - cut) + note,
        sap(random_codes(codes), factors, baseline=False).sap if baseline else None,
    )  # fmt: skip


def dci(
    codes: np.ndarray, factors: np.ndarray, baseline: bool = True, progress: Callable[[float], None] | None = None,
    jobs: int = 1,
) -> DCI:  # fmt: skip
    """Return disentanglement, completeness and informativeness (Eastwood & Williams 2018). Takes minutes.

    Gradient-boosted trees (scikit-learn's defaults, seed 0) predict each factor from the whole code; their feature
    importances measure how informative each dimension is. jobs: the number of processes, -1 for one per core.
    progress: called with the share of factors that are done, 0 to 1.
    Raises ValueError where a factor is constant in the training rows.
    """
    codes, factors, varying = checked(codes, factors)
    codes, factors, cut, note = _in_random_order(codes, factors, varying)
    importance = np.zeros((codes.shape[1], factors.shape[1]))
    accuracies = []
    # factors with many values take longest, so they start first
    order = sorted(np.flatnonzero(varying), key=lambda k: -factors[:, k].max())
    fitted = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_fit_trees)(codes, factors[:, k], cut) for k in order
    )
    for k, (of_factor, accuracy) in zip(order, fitted, strict=False):
        importance[:, k] = of_factor
        accuracies.append(accuracy)
        if progress is not None:
            progress(len(accuracies) / len(order))
    disentanglement, completeness = dci_of_importance(importance[:, varying])
    return DCI(
        disentanglement, completeness, float(np.mean(accuracies)), importance, constant_factors(varying),
        DCI_PROTOCOL.format(train=cut, test=len(codes) - cut) + note,
        dci(random_codes(codes), factors, baseline=False, jobs=jobs).disentanglement if baseline else None,
    )  # fmt: skip


def _fit_trees(codes: np.ndarray, factor: np.ndarray, cut: int) -> tuple[np.ndarray, float]:
    from sklearn.ensemble import GradientBoostingClassifier

    trees = GradientBoostingClassifier(random_state=0).fit(codes[:cut], factor[:cut])
    # rounding may give an uninformative dimension an importance of -3e-17
    return trees.feature_importances_.clip(min=0), trees.score(codes[cut:], factor[cut:])


def dci_of_importance(importance: np.ndarray) -> tuple[float, float]:
    """Return (disentanglement, completeness) of a non-negative importance matrix (D, K).

    Disentanglement: 1 minus the entropy (base K) of each dimension's importances, averaged with the dimensions' shares
    of the total importance as weights. Completeness: the same for the columns of the factors (base D).
    """
    from scipy.stats import entropy

    def ordered(rows: np.ndarray) -> float:
        if not rows.any():
            return 0.0
        rows = rows[rows.any(1)]  # a row of zeros has no entropy, and no weight
        if rows.shape[1] == 1:
            return 1.0  # a single column has no entropy
        score = 1 - entropy(rows, axis=1, base=rows.shape[1])
        return float((rows.sum(1) / rows.sum() * score).sum())

    return ordered(importance), ordered(importance.T)


def factor_vae_score(
    codes: np.ndarray, factors: np.ndarray, seed: int = 0, baseline: bool = True
) -> FactorVAEScore:
    """Return the FactorVAE score (Kim & Mnih 2018), the accuracy of a majority-vote classifier of factors.

    In each vote, 64 codes share the value of one factor. The vote is for the dimension with the smallest variance
    among them, relative to its variance over all codes. The classifier assigns each dimension the factor with most
    votes. Dimensions with a standard deviation below 0.05 are left out, as in disentanglement_lib's configurations; if
    none is left the score is 0.
    """
    codes, factors, varying = checked(codes, factors)
    protocol = VOTES_PROTOCOL.format(train=TRAIN_POINTS, test=TEST_POINTS, batch=BATCH, images=len(codes))
    active = np.flatnonzero(codes.std(0) >= 0.05)
    if not active.size:
        return FactorVAEScore(0.0, (), constant_factors(varying), protocol, None)
    scaled = codes[:, active] / codes[:, active].std(0)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(np.flatnonzero(varying), TRAIN_POINTS + TEST_POINTS)
    votes = np.empty(len(chosen), int)
    for k in np.unique(chosen):
        here = np.flatnonzero(chosen == k)
        # the codes of a vote share the value of a random row
        one = rng.integers(len(codes), size=len(here))
        rows = _rows_like(factors[:, k], np.repeat(one[:, None], BATCH, 1), rng)
        votes[here] = scaled[rows].var(1, ddof=1).argmin(1)
    counts = np.zeros((len(active), factors.shape[1]), int)
    np.add.at(counts, (votes[:TRAIN_POINTS], chosen[:TRAIN_POINTS]), 1)
    reading = counts.argmax(1)
    score = float((reading[votes[TRAIN_POINTS:]] == chosen[TRAIN_POINTS:]).mean())
    return FactorVAEScore(
        score, tuple(int(d) for d in active), constant_factors(varying), protocol,
        factor_vae_score(random_codes(codes), factors, seed, baseline=False).score if baseline else None,
    )  # fmt: skip


def beta_vae_score(
    codes: np.ndarray, factors: np.ndarray, seed: int = 0, baseline: bool = True
) -> BetaVAEScore:
    """Return the beta-VAE score (Higgins et al. 2017), the test accuracy of a linear classifier of factors.

    In each point, 64 pairs of codes share the value of one factor. Logistic regression predicts that factor from the
    mean |z1 - z2| of the pairs. Raises ValueError for fewer than two factors that vary.
    """
    from sklearn.linear_model import LogisticRegression

    codes, factors, varying = checked(codes, factors)
    if varying.sum() < 2:
        raise ValueError("the score distinguishes factors: it needs two that vary")
    rng = np.random.default_rng(seed)
    chosen = rng.choice(np.flatnonzero(varying), TRAIN_POINTS + TEST_POINTS)
    points = np.empty((len(chosen), codes.shape[1]))
    for k in np.unique(chosen):
        here = np.flatnonzero(chosen == k)
        one = rng.integers(len(codes), size=(len(here), BATCH))
        other = _rows_like(factors[:, k], one, rng)
        points[here] = np.abs(codes[one] - codes[other]).mean(1)
    # a fit cut short depends on the machine; an autoencoder's codes need up to 11,000 iterations
    fitted = LogisticRegression(max_iter=20_000).fit(points[:TRAIN_POINTS], chosen[:TRAIN_POINTS])
    return BetaVAEScore(
        float(fitted.score(points[TRAIN_POINTS:], chosen[TRAIN_POINTS:])), constant_factors(varying),
        PAIRS_PROTOCOL.format(train=TRAIN_POINTS, test=TEST_POINTS, batch=BATCH, images=len(codes)),
        beta_vae_score(random_codes(codes), factors, seed, baseline=False).score if baseline else None,
    )  # fmt: skip


def total_correlation(codes: np.ndarray) -> TotalCorrelationEstimate:
    """Return the total correlation in nats of a Gaussian with the codes' covariance: their linear dependence.

    It needs no factors. Only active dimensions (variance above 0.01) count: the measure does not depend on scale, and
    the tiny mean of a collapsed dimension is a function of the others. It is infinite where one dimension is a linear
    function of others. Raises ValueError for codes that are not finite (naming the dimension) and for fewer than two
    images.
    """
    codes = checked_codes(codes, images=2)
    codes = codes[:, codes.var(0) > ACTIVE]
    correlation = np.atleast_2d(np.corrcoef(codes, rowvar=False)) if codes.size else np.eye(1)
    eigenvalues = np.linalg.eigvalsh(correlation)
    # rounding leaves a singular matrix some 1e-16 above or below zero
    singular = eigenvalues.min() < 1e-12
    value = np.inf if singular else max(0.0, float(-0.5 * np.log(eigenvalues).sum()))
    return TotalCorrelationEstimate(value, GAUSSIAN_PROTOCOL.format(images=len(codes)))


def active_units(means: np.ndarray, threshold: float = ACTIVE) -> ActiveUnits:
    """Count the active units, dimensions with Var_x(E[z_d | x]) > threshold (Burda et al. 2016).

    means (N, D), posterior means. Raises ValueError for means that are not finite (naming the dimension) and for fewer
    than two images.
    """
    variances = checked_codes(means, images=2).var(axis=0)
    return ActiveUnits(int((variances > threshold).sum()), variances)


def _mean(gaps: list[float | None]) -> float:
    return float(np.mean([gap for gap in gaps if gap is not None]))


def _in_random_order(
    codes: np.ndarray, factors: np.ndarray, varying: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int, str]:
    """Return (codes, factors, number of training rows, note for the protocol).

    The rows are shuffled (seed 0) if the training rows lack a value of a factor or the test rows have a single one.
    Raises ValueError where a factor is constant in the training rows.
    """
    cut = max(1, len(codes) * 2 // 3)
    varied = factors[:, varying]
    lacking = any(len(np.unique(f[:cut])) <= f.max() or len(np.unique(f[cut:])) < 2 for f in varied.T)
    if lacking:
        order = np.random.default_rng(0).permutation(len(codes))
        codes, factors = codes[order], factors[order]
    for k in np.flatnonzero(varying):
        if len(np.unique(factors[:cut, k])) < 2:
            raise ValueError(f"factor {k} has one value in the {cut:,} rows that train a classifier: pass more rows")
    return codes, factors, cut, ", rows shuffled (seed 0)" if lacking else ""


def _binned(codes: np.ndarray, bins: int) -> np.ndarray:
    """Return codes (N, D) as numbers of equal-width bins of each dimension. Raises ValueError for wrong bins."""
    if not isinstance(bins, (int, np.integer)) or bins < 2:
        raise ValueError(f"bins must be a whole number, 2 or more, not {bins!r}")
    return np.stack([equal_width_bins(column, bins) for column in codes.T], 1)


def _mutual_information(binned: np.ndarray, factors: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return I(binned code; factor) in nats, (D, K). factors are labelled 0..V-1. weights (N,): of rows."""
    return np.array([[joint_information(b, f, weights) for f in factors.T] for b in binned.T])


def _rows_like(values: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return, for each of `rows` (any shape), a random row with the same value. values (N,) int from 0."""
    order = np.argsort(values, kind="stable")  # rows, value by value
    count = np.bincount(values)
    first = np.cumsum(count) - count
    wanted = values[rows]
    return order[first[wanted] + (rng.random(rows.shape) * count[wanted]).astype(int)]


def _linear_svm(x: np.ndarray, y: np.ndarray, C: float = SVM_C) -> Callable:
    """Fit LinearSVC(C=0.01, class_weight="balanced") to one feature, exactly.

    x (N,) float, y (N,) int -> a function (M,) float -> (M,) int. It minimises (w^2 + b^2) / 2 + sum_i C_i max(0, 1 -
    s_i (w x_i + b))^2 for each class against the rest, as liblinear does: the bias is penalised, and only the class
    has the balanced weight. With one feature, the points inside the margin are those on one side of a threshold, so
    cumulative sums over sorted points make a Newton step cheap: a thousand fits take a second.
    """
    classes, y = np.unique(y, return_inverse=True)
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    n, v = len(x), len(classes)
    member = y == np.arange(v)[:, None]  # (V, N)
    weight = C * n / (v * member.sum(1))  # (V,) of the class; the rest has C
    rest = np.full(v, C)
    if v == 2:  # liblinear solves one problem, both sides balanced
        rest = weight[::-1].copy()
    powers = np.stack([np.ones(n), x, x * x])  # (3, N)
    sums = np.zeros((2, v, 3, n + 1))  # of the class and of the rest, over the first i points
    np.cumsum(member[:, None] * powers, axis=2, out=sums[0, :, :, 1:])
    sums[1, :, :, 1:] = np.cumsum(powers, axis=1) - sums[0, :, :, 1:]
    cost = np.stack([weight, rest])  # (2, V)
    sign = np.array([1.0, -1.0])[:, None]
    each = np.arange(v)

    def inside(w: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the sums (2, V, 3) of 1, x, x^2 over the points with s (w x + b) < 1."""
        with np.errstate(divide="ignore", invalid="ignore"):
            edge = np.where(w == 0, 0, (sign - b) / w)  # (2, V)
        at = np.searchsorted(x, edge)
        left = np.stack([sums[side, each, :, at[side]] for side in (0, 1)])
        whole = sums[:, :, :, -1]
        picked = np.where((sign * w > 0)[..., None], left, whole - left)
        flat = np.where((sign * b < 1)[..., None], whole, 0)  # w = 0: all points or none
        return np.where((w == 0)[None, :, None], flat, picked)

    def loss(w: np.ndarray, b: np.ndarray) -> np.ndarray:
        one, x1, x2 = np.moveaxis(inside(w, b), 2, 0)
        offset = sign - b  # the residual is offset - w x, up to its sign
        square = one * offset**2 - 2 * offset * w * x1 + w**2 * x2
        return (w**2 + b**2) / 2 + (cost * square).sum(0)

    w, b = np.zeros(v), np.zeros(v)
    value = loss(w, b)
    for _ in range(100):
        one, x1, x2 = np.moveaxis(inside(w, b), 2, 0)
        h11 = 1 + 2 * (cost * x2).sum(0)
        h12 = 2 * (cost * x1).sum(0)
        h22 = 1 + 2 * (cost * one).sum(0)
        r1, r2 = 2 * (cost * sign * x1).sum(0), 2 * (cost * sign * one).sum(0)
        det = h11 * h22 - h12**2
        step_w, step_b = (h22 * r1 - h12 * r2) / det - w, (h11 * r2 - h12 * r1) / det - b
        size = np.ones(v)
        for _ in range(30):  # halve until the loss does not rise
            fresh = loss(w + size * step_w, b + size * step_b)
            worse = fresh > value
            if not worse.any():
                break
            size[worse] /= 2
        better = fresh < value - 1e-12 * value
        w, b = np.where(better, w + size * step_w, w), np.where(better, b + size * step_b, b)
        value = np.where(better, fresh, value)
        if not better.any():
            break
    if v == 2:
        return lambda points: classes[(w[1] * points + b[1] > 0).astype(int)]
    return lambda points: classes[(points[:, None] * w + b).argmax(1)]

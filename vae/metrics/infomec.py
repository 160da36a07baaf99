"""InfoMEC (Hsu et al. 2023): modularity, explicitness and compactness of codes, from information."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .checking import checked, constant_factors, continuous, entropies, joint_information, random_codes

NEIGHBOURS = 10  # of the estimate for continuous codes
ACTIVE_RANGE = 1 / 20  # of the widest dimension's range: a continuous dimension with less is inactive
MAX_ITERATIONS = 100  # of the logistic regression, as in the paper: of separable classes, its weights grow without end

ESTIMATES = {  # discrete: how the mutual information is estimated
    True: "counts of discrete codes",
    False: f"{NEIGHBOURS} nearest neighbours in each dimension",
}
INFOMEC_PROTOCOL = (
    "mutual information of {images:,} codes by {estimate}, over the factor's entropy. InfoE is measured by logistic "
    "regression, unpenalised and with balanced classes, which is fitted to and scored on the same rows"
)


class InfoMEC(NamedTuple):
    """Three scores; 1 is the best. Codes without information have an InfoE of 0; their InfoM and InfoC are shares of
    noise, which `random` shows."""

    infom: float  # modularity: each active dimension is informative about one factor
    infoc: float  # compactness: each factor is captured by one dimension
    infoe: float  # explicitness: a linear classifier of the codes knows the factors
    nmi: np.ndarray  # (D, K) mutual information over the factor's entropy; nan for a constant factor
    explicitness: tuple[float | None, ...]  # (K,) InfoE of each factor; None for a constant one
    active: tuple[int, ...]  # dimensions that count
    constant: tuple[int, ...]
    discrete: bool  # whether a dimension's values are symbols
    protocol: str
    random: tuple[float, float, float] | None  # the scores of codes without information


def infomec(
    codes: np.ndarray, factors: np.ndarray, discrete: bool | None = None, baseline: bool = True
) -> InfoMEC:
    """Return InfoM, InfoC and InfoE of codes (N, D) and factors (N, K).

    discrete: whether a dimension's values are symbols; by default they are if values recur in every dimension. Then
    the baseline is the codes with each dimension shuffled, otherwise standard normal codes.
    Raises ValueError as the other measures of codes do, and for fewer than two factors that vary.
    """
    codes, factors, varying = checked(codes, factors)
    if varying.sum() < 2:
        raise ValueError("InfoM compares factors: it needs two that vary")
    if discrete is None:
        discrete = not any(continuous(column, np.unique(column)) for column in codes.T)
    ranges = np.ptp(codes, axis=0)
    active = np.flatnonzero(ranges > (0 if discrete else ranges.max() * ACTIVE_RANGE))
    nmi = np.full((codes.shape[1], factors.shape[1]), np.nan)
    information = _information_by_counts if discrete else _information_by_neighbours
    nmi[:, varying] = information(codes, factors[:, varying]) / entropies(factors[:, varying])
    nmi[ranges == 0] *= 0
    of_active = nmi[np.ix_(active, np.flatnonzero(varying))]
    features = _features(codes, discrete)
    explicit = [_explicitness(features, factors[:, k]) if varying[k] else None for k in range(len(varying))]
    return InfoMEC(
        _share_of_largest(of_active), _share_of_largest(of_active.T),
        float(np.mean([value for value in explicit if value is not None])),
        nmi, tuple(explicit), tuple(active.tolist()), constant_factors(varying),
        discrete, INFOMEC_PROTOCOL.format(images=len(codes), estimate=ESTIMATES[discrete]),
        scores_of_random_codes(codes, factors, discrete) if baseline else None,
    )  # fmt: skip


def _share_of_largest(nmi: np.ndarray) -> float:
    """Return the share of the largest entry in each row (R, C), averaged over rows, scaled from 1 / C..1 to 0..1.

    A row without information counts as evenly spread. Without rows it is 0; with one column it is 1.
    """
    rows, columns = nmi.shape
    if not rows or not columns:
        return 0.0
    if columns == 1:
        return 1.0
    total = nmi.sum(1)
    share = np.divide(nmi.max(1), total, out=np.full(rows, 1 / columns), where=total > 0)
    return float((share.mean() - 1 / columns) / (1 - 1 / columns))


def _information_by_counts(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return the mutual information (D, K) in nats of codes (N, D), symbols, and factors (N, K)."""
    symbols = [np.unique(column, return_inverse=True)[1] for column in codes.T]
    return np.array([[joint_information(s, f) for f in factors.T] for s in symbols])


def _information_by_neighbours(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return the mutual information (D, K) in nats of codes (N, D), continuous, and factors (N, K), by distances to
    nearest neighbours (Ross 2014). Raises ValueError where no value of a factor recurs."""
    from sklearn.feature_selection import mutual_info_classif

    for k, factor in enumerate(factors.T):
        if np.bincount(factor).max() < 2:
            raise ValueError(f"no value of factor {k} recurs: pass more rows")
    standardised = _standardised(codes)
    # each estimate adds its own tiny noise, so that ties have an order
    return np.stack([
        mutual_info_classif(standardised, f, discrete_features=False, n_neighbors=NEIGHBOURS, random_state=0)
        for f in factors.T
    ], 1)  # fmt: skip


def _standardised(codes: np.ndarray) -> np.ndarray:
    scale = codes.std(0)
    return (codes - codes.mean(0)) / np.where(scale > 0, scale, 1)


def _features(codes: np.ndarray, discrete: bool) -> Any:
    """Return what the linear classifier reads: codes (N, D) standardised, or one-hot (N, symbols) where discrete."""
    from sklearn.preprocessing import OneHotEncoder

    return OneHotEncoder().fit_transform(codes) if discrete else _standardised(codes)


def _explicitness(features: Any, factor: np.ndarray) -> float:
    """Return the share of a factor's uncertainty that a linear classifier of the features removes.

    The classes are balanced, so that the uncertainty without features is log V.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    classifier = LogisticRegression(C=np.inf, class_weight="balanced", max_iter=MAX_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(features, factor)
    prior = np.log(len(classifier.classes_))
    return float((prior - log_loss(factor, classifier.predict_proba(features))) / prior)


def scores_of_random_codes(codes: np.ndarray, factors: np.ndarray, discrete: bool) -> tuple[float, float, float]:
    """Return InfoM, InfoC and InfoE of codes (N, D) without information; where they are continuous, only their shape
    counts."""
    rng = np.random.default_rng(0)
    uninformative = rng.permuted(codes, axis=0) if discrete else random_codes(codes)
    found = infomec(uninformative, factors, discrete, baseline=False)
    return found.infom, found.infoc, found.infoe

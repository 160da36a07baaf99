"""Disentanglement measures, as disentanglement_lib (Locatello et al. 2019) computes them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class MIG(NamedTuple):
    """The mutual information gap, with what it was computed from."""

    mig: float  # mean over factors of the gap
    gaps: tuple[float | None, ...]  # (K,) gap of each factor; None for a constant one
    mutual_information: np.ndarray  # (D, K) nats
    entropy: np.ndarray  # (K,) nats


class ActiveUnits(NamedTuple):
    active_units: int
    variances: np.ndarray  # (D,) variance of each posterior mean over the data


def mig(codes: np.ndarray, factors: np.ndarray, bins: int = 20) -> MIG:
    """Mutual information gap (Chen et al. 2018): for each factor, the gap between the two codes
    that tell most about it, over the factor's entropy.

    codes (N, D) float, cut into equal-width bins over their range; factors (N, K) int, by their
    values. Constant factors have no entropy and are left out. Raises ValueError for codes that
    are not finite (naming the dimension), for fewer than two dimensions, for lengths that
    differ, and where every factor is constant.
    """
    codes, factors = np.asarray(codes, np.float64), np.asarray(factors)
    _check(codes, factors)
    if codes.shape[1] < 2:
        raise ValueError("a gap needs codes of two dimensions or more")
    information = np.empty((codes.shape[1], factors.shape[1]))
    for d in range(codes.shape[1]):
        # as np.digitize does with the left edges: the maximum falls into the last bin
        binned = np.digitize(codes[:, d], np.histogram_bin_edges(codes[:, d], bins)[:-1]) - 1
        for k in range(factors.shape[1]):
            information[d, k] = _mutual_information(binned, factors[:, k])
    entropy = np.array([_mutual_information(f, f) for f in factors.T])
    second, first = np.sort(information, axis=0)[-2:]
    gaps = tuple(
        float((top - next_) / h) if h > 0 else None
        for top, next_, h in zip(first, second, entropy)
    )
    known = [gap for gap in gaps if gap is not None]
    if not known:
        raise ValueError("every factor is constant: there is nothing to disentangle")
    return MIG(float(np.mean(known)), gaps, information, entropy)


def active_units(means: np.ndarray, threshold: float = 0.01) -> ActiveUnits:
    """Dimensions whose posterior mean varies over the data by more than threshold
    (Burda et al. 2016): Var_x(E[z_d | x]) > 0.01. means (N, D)."""
    variances = np.asarray(means, np.float64).var(axis=0)
    return ActiveUnits(int((variances > threshold).sum()), variances)


def _check(codes: np.ndarray, factors: np.ndarray) -> None:
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors):
        raise ValueError(
            f"codes (N, D) and factors (N, K) must go together, not {codes.shape}, {factors.shape}"
        )
    bad = np.flatnonzero(~np.isfinite(codes).all(axis=0))
    if bad.size:
        raise ValueError(f"codes of dimension {bad[0]} are not all finite")


def _mutual_information(a: np.ndarray, b: np.ndarray) -> float:
    """I(a; b) of two integer arrays (N,), in nats; never below 0."""
    _, a = np.unique(a, return_inverse=True)
    _, b = np.unique(b, return_inverse=True)
    joint = np.bincount(a * (b.max() + 1) + b, minlength=(a.max() + 1) * (b.max() + 1))
    joint = joint.reshape(a.max() + 1, b.max() + 1) / len(a)
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    seen = joint > 0
    return max(0.0, float((joint[seen] * np.log(joint[seen] / independent[seen])).sum()))

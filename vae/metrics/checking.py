"""Validation of codes and factors, shared by the measures that take them."""

from __future__ import annotations

import numpy as np


def discretise(factors: np.ndarray, bins: int = 20) -> np.ndarray:
    """Convert factors (N, K) to class indices (N, K) int64: equal-width bins for a continuous column, the rank of the
    value for any other.

    A column is continuous if it has more than `bins` values that are not all integers, or if few values recur. Raises
    ValueError for values that are not numbers or not finite, and for fewer than two bins.
    """
    if bins < 2:
        raise ValueError(f"a factor needs two bins or more, not {bins}")
    factors = checked_factors(factors)
    columns = []
    for column in factors.T:
        values, numbers = np.unique(column, return_inverse=True)
        if len(values) > bins and (fractional(values) or continuous(column, values)):
            numbers = equal_width_bins(column.astype(np.float64), bins)
        columns.append(numbers)
    return np.stack(columns, 1).astype(np.int64)


def continuous(column: np.ndarray, values: np.ndarray) -> bool:
    """Return whether a factor (N,) with these distinct values is continuous: too few of its values recur."""
    n = len(column)
    limit = max(n / 10, min(10, n / 2)) if fractional(values) else max(100, n / 2)
    return len(values) > limit


def fractional(values: np.ndarray) -> bool:
    return values.dtype.kind == "f" and bool((values != np.rint(values)).any())


def checked(
    codes: np.ndarray, factors: np.ndarray, dimensions: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Validate codes and factors. Returns codes float64, factors relabelled to 0..V-1, (K,) bool: which factors vary.

    Raises ValueError as the module describes, and for fewer than `dimensions` dimensions.
    """
    shapes = np.shape(codes), np.shape(factors)
    if [len(shape) for shape in shapes] != [2, 2] or shapes[0][0] != shapes[1][0]:
        raise ValueError(f"codes must be (N, D) and factors (N, K) with the same N, not {shapes[0]} and {shapes[1]}")
    codes, factors = checked_codes(codes), checked_factors(factors)
    if codes.shape[1] < dimensions:
        raise ValueError("MIG and SAP need codes of two dimensions or more")
    relabelled = []
    for k, column in enumerate(factors.T):
        values, numbers = np.unique(column, return_inverse=True)
        if continuous(column, values):
            raise ValueError(
                f"factor {k} looks continuous: pass class numbers, or metrics.discretise(factors, bins=20), "
                f"not {len(values):,} different values in {len(column):,} rows"
            )
        relabelled.append(numbers)
    varying = np.array([f.max() > 0 for f in relabelled])
    if not varying.any():
        raise ValueError("every factor is constant: there is nothing to disentangle")
    return codes, np.stack(relabelled, 1), varying


def checked_codes(codes: np.ndarray, images: int = 1) -> np.ndarray:
    """Return codes (N, D) as float64. Raises ValueError for fewer images, no dimensions, and values that are not
    numbers or not finite."""
    codes = as_numbers(codes, "codes")
    if codes.ndim != 2 or len(codes) < images or not codes.shape[1]:
        raise ValueError(f"codes must be (N, D), N {images} or more and D 1 or more, not {codes.shape}")
    bad = np.flatnonzero(~np.isfinite(codes).all(axis=0))
    if bad.size:
        raise ValueError(f"codes of dimension {bad[0]} are not all finite")
    return codes


def checked_factors(factors: np.ndarray) -> np.ndarray:
    """Return factors (N, K), K 1 or more, as float64 or strings. Raises ValueError for values that are neither numbers
    nor strings, or not finite (naming the column)."""
    factors = np.asanyarray(factors)
    if factors.dtype.kind == "O" and all(isinstance(value, str) for value in factors.flat):  # a pandas frame
        factors = factors.astype(str)
    # integers stay what they are: float64 would merge those above 2^53
    exact = factors.dtype.kind in "SUiu" and not np.ma.is_masked(factors)
    factors = np.asarray(factors) if exact else as_numbers(factors, "factors")
    if factors.ndim != 2 or not factors.size:
        raise ValueError(f"factors must be (N, K), N and K 1 or more, not {factors.shape}")
    if factors.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(factors).all(axis=0))
        if bad.size:
            rows = int((~np.isfinite(factors[:, bad[0]])).sum())
            raise ValueError(f"factor {bad[0]} is NaN or infinite in {rows:,} of {len(factors):,} rows")
    return factors


def as_numbers(values: np.ndarray, name: str) -> np.ndarray:
    values = np.asanyarray(values)
    try:
        if values.dtype.kind == "c" or np.ma.is_masked(values):
            raise TypeError
        return np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be real numbers, none of them masked, not {values.dtype}") from error


def constant_factors(varying: np.ndarray) -> tuple[int, ...]:
    return tuple(int(k) for k in np.flatnonzero(~varying))


def random_codes(codes: np.ndarray) -> np.ndarray:
    return np.random.RandomState(0).standard_normal(codes.shape)


def equal_width_bins(values: np.ndarray, bins: int) -> np.ndarray:
    """Return the indices (N,) of the equal-width bins of values (N,), from 0; the maximum is in the last bin."""
    return np.digitize(values, np.histogram_bin_edges(values, bins)[:-1]) - 1


def entropies(factors: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the entropy (K,) in nats of factors (N, K), labelled 0..V-1. weights (N,): how often a row counts."""
    from scipy.stats import entropy

    return np.array([entropy(np.bincount(f, weights)) for f in factors.T])


def joint_information(a: np.ndarray, b: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return the mutual information in nats of two columns of labels (N,), each from 0. weights (N,): how often a row
    counts, by default once."""
    values = b.max() + 1
    rows = a.max() + 1
    counts = np.bincount(a * values + b, weights, minlength=rows * values)
    joint = counts.reshape(rows, values) / counts.sum()
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    seen = joint > 0
    information = float((joint[seen] * np.log(joint[seen] / independent[seen])).sum())
    # rounding leaves about 1e-16 nats where the exact value is 0
    return information if information > 1e-12 else 0.0

"""Measures of a trained model. Codes are (N, D) float, factors (N, K) int, results named floats."""

from .disentanglement import ActiveUnits, MIG, active_units, mig
from .reconstruction import Terms, average_terms

__all__ = ["ActiveUnits", "MIG", "Terms", "active_units", "average_terms", "mig"]

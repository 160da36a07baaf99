"""Disentanglement, completeness and informativeness by gradient-boosted trees; takes minutes for each model."""

from __future__ import annotations

import functools

import numpy as np

from ... import metrics
from ...data import DatasetInfo
from ...metrics.disentanglement import DCI_PROTOCOL
from ...models import LatentModel
from ..figures import Figure
from .base import MEASURES, Context, Measure
from .disentanglement import score

DCI = score("dci", "DCI disentanglement", DCI_PROTOCOL, {"train": None, "test": None})


@MEASURES.register("dci")
class DCIScores(Measure):
    figures = (
        DCI[0],
        Figure("dci_completeness", "DCI completeness", group="disentanglement", better="higher", of="dci"),
        Figure("dci_informativeness", "DCI informativeness", group="disentanglement", better="higher", of="dci"),
        DCI[1],
    )
    position = 96

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.factors is not None and not model.discrete

    def measure(self, context: Context) -> dict:
        codes, factors = context.codes, context.factors
        report = functools.partial(context.report, "fitting the trees of DCI")
        try:
            trees = metrics.dci(codes, factors, baseline=False, progress=report, jobs=-1)
        except ValueError:
            if context.info.factor_table is None:
                raise
            return {}  # a user's own images may have too few of a value
        context.protocol["dci"] = trees.protocol
        return {
            "dci": trees.disentanglement,
            "dci_completeness": trees.completeness,
            "dci_informativeness": trees.informativeness,
            "dci_random": _of_random_codes(codes.shape, factors.tobytes(), factors.shape),
        }


@functools.cache  # it takes minutes and is the same for every model of a data set
def _of_random_codes(shape: tuple, factors: bytes, factors_shape: tuple) -> float:
    codes = np.random.RandomState(0).standard_normal(shape)
    values = np.frombuffer(factors, np.int64).reshape(factors_shape)
    return metrics.dci(codes, values, baseline=False, jobs=-1).disentanglement

"""The figures of a card, each with its protocol: of the test split to report, of the validation split to choose."""

from __future__ import annotations

from ..data import DATASETS, DatasetInfo
from ..models import LatentModel
from ..store import ModelCard
from .figures import FIGURES
from .measures import MEASURES, Context, Measure, ordered, run


def evaluate(
    model: LatentModel,
    data: str,
    limit: int | None = None,
    without: tuple[str, ...] = (),
    parameters: dict[str, dict] | None = None,
    progress: bool = False,
    for_uses: tuple[str, ...] = (),
    on: str = "test",
) -> tuple[dict, dict]:
    """Return (figures, protocol) of a model on a split of a data set, or on its first `limit` images.

    Nats, sums over pixels and dimensions, means over images.
    without: measures that are left out. "dci" takes minutes where the data's factors are known, and "nll" where
    pixels are binary.
    parameters: others than those of a figure's protocol, {"nll": {"samples": 1000}}.
    for_uses: a recipe's `uses`, measured on test images alone; where there is a limit by one choice of labels
    instead of five.
    on: "test", or "validation" for whatever chooses.
    Raises ValueError for a use or measure that is unknown, and for a use that model and data do not allow.
    """
    info = DATASETS[data]
    every = ordered()
    if unknown := set(without) - every.keys():
        raise ValueError(f"there is no measure {unknown.pop()!r}; there are {', '.join(every)}")
    measures = {name: measure for name, measure in every.items() if measure.applies(model, info)}
    if for_uses and on != "test":
        raise ValueError(f"uses are measured on test images, not on the {on} split")
    for use in for_uses:
        _check_use(use, info, every, measures)
    split = info.load(on)
    context = Context(model, info, split, min(limit or len(split), len(split)), on, progress, parameters or {})
    figures, protocol = {}, {}
    for name, measure in measures.items():
        if name not in without and (not measure.use or measure.use in for_uses):
            found, told = run(measure, context)
            figures |= found
            protocol |= told
    return figures, protocol


def _check_use(use: str, info: DatasetInfo, every: dict[str, Measure], applying: dict[str, Measure]) -> None:
    uses, allowed = (sorted({m.use for m in found.values() if m.use}) for found in (every, applying))
    if use not in uses:
        raise ValueError(f"there is no use {use!r}; there are {', '.join(uses)}")
    if use not in allowed:
        raise ValueError(f"a model of {info.title} does not allow the use {use!r}; it allows {', '.join(allowed) or 'none'}")


def differences(card: ModelCard, figures: dict, protocol: dict, without: tuple[str, ...] = ()) -> list[str]:
    """Return in what a repeated measurement differs from a card, in a sentence each: values by more than a figure's
    tolerance, figures that one side lacks, protocols.

    without: measures that were left out; what they measure is not compared.
    """
    left_out = {figure.key for name in without for figure in MEASURES[name].figures}
    stored = {key: value for key, value in card.figures.items() if key not in left_out}
    told = {key: text for key, text in card.protocol.items() if key not in left_out}
    found = [f"{key} is on the card and was not measured" for key in stored if key not in figures]
    for key, value in figures.items():
        if key not in stored:
            found.append(f"{key} was measured and is not on the card")
        elif not FIGURES[key].agrees(value, stored[key]):
            found.append(f"{key} is {_short(stored[key])} on the card and {_short(value)} now (tolerance {FIGURES[key].tolerance:g})")
    for key in {**told, **protocol}:
        if told.get(key) != protocol.get(key):
            found.append(f"the protocol of {key} is {told.get(key)!r} on the card and {protocol.get(key)!r} now")
    return found


def _short(value) -> str:
    text = f"{value:.7g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

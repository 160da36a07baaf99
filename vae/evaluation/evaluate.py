"""The figures of a card, each with its protocol: on the test split to report, on the validation split to choose."""

from __future__ import annotations

from typing import Any

from .. import jobs
from ..data import DATASETS, DatasetInfo
from ..models import LatentModel
from ..store import ModelCard
from .figures import FIGURES
from .measures import MEASURES, Context, Measure, ordered, run


def evaluate(
    model: LatentModel,
    data: str | DatasetInfo,
    limit: int | None = None,
    without: tuple[str, ...] = (),
    parameters: dict[str, dict] | None = None,
    progress: jobs.Report | None = None,
    downstream: tuple[str, ...] = (),
    on: str = "test",
    only: tuple[str, ...] = (),
) -> tuple[dict, dict]:
    """Return (figures, protocol) of a model on a split of a data set, or on its first `limit` images.

    data: the data set, or the name of a registered one.
    Terms are in nats, summed over pixels and dimensions and averaged over images.
    without: measures to leave out. "dci" takes minutes where the data's factors are known, and "nll" where pixels
    are binary.
    parameters: replacements for parameters of a figure's protocol, {"nll": {"samples": 1000}}.
    progress: called with (stage, share).
    downstream: a recipe's `downstream` tasks, measured on test images only; with a limit, on one choice of labels
    instead of five.
    on: "test", or "validation" if the figures are used to choose a run.
    only: the measures to run, by default all that apply.
    Raises ValueError for an unknown task or measure, and for a task that model and data do not allow.
    """
    info = DATASETS[data] if isinstance(data, str) else data
    every = ordered()
    if unknown := {*without, *only} - every.keys():
        raise ValueError(f"there is no measure {unknown.pop()!r}; there are {', '.join(every)}")
    measures = {name: measure for name, measure in every.items() if measure.applies(model, info)}
    if downstream and on != "test":
        raise ValueError(f"downstream tasks are measured on test images, not on the {on} split")
    for task in downstream:
        _check_task(task, info, every, measures)
    split = info.load(on)
    context = Context(model, info, split, min(limit or len(split), len(split)), on, parameters=parameters or {})
    figures: dict[str, Any] = {}
    protocol: dict[str, str] = {}
    chosen = {
        name: measure for name, measure in measures.items()
        if name not in without and (not only or name in only) and (not measure.task or measure.task in downstream)
    }  # fmt: skip
    for number, (name, measure) in enumerate(chosen.items()):
        context.report = jobs.part(progress, number / len(chosen), (number + 1) / len(chosen))
        context.report(f"measuring {name}", 0.0)
        found, sentences = run(measure, context)
        figures |= found
        protocol |= sentences
    return figures, protocol


def _check_task(task: str, info: DatasetInfo, every: dict[str, Measure], applying: dict[str, Measure]) -> None:
    tasks, allowed = (sorted({m.task for m in found.values() if m.task}) for found in (every, applying))
    if task not in tasks:
        raise ValueError(f"there is no downstream task {task!r}; there are {', '.join(tasks)}")
    if task not in allowed:
        allows = ", ".join(allowed) or "none"
        raise ValueError(f"a model of {info.title} does not allow the task {task!r}; it allows {allows}")


def differences(card: ModelCard, figures: dict, protocol: dict, without: tuple[str, ...] = ()) -> list[str]:
    """Return the differences between a repeated measurement and a card, one sentence each: values that differ by more
    than the figure's tolerance, missing figures, protocols.

    without: measures that were left out; their figures are not compared.
    """
    left_out = {figure.key for name in without for figure in MEASURES[name]().all_figures()}
    stored = {key: value for key, value in card.figures.items() if key not in left_out}
    on_card = {key: text for key, text in card.protocol.items() if key not in left_out}
    found = [f"{key} is on the card and was not measured" for key in stored if key not in figures]
    for key, value in figures.items():
        if key not in stored:
            found.append(f"{key} was measured and is not on the card")
        elif not FIGURES[key].agrees(value, stored[key]):
            values = f"{_short(stored[key])} on the card and {_short(value)} now"
            found.append(f"{key} is {values} (tolerance {FIGURES[key].tolerance:g})")
    for key in {**on_card, **protocol}:
        if on_card.get(key) != protocol.get(key):
            found.append(f"the protocol of {key} is {on_card.get(key)!r} on the card and {protocol.get(key)!r} now")
    return found


def _short(value: Any) -> str:
    text = f"{value:.7g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

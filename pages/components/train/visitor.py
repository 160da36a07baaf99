"""The training of a visitor: the same in all tabs of a browser and after a reload, kept while one of them is open."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import TypeGuard
from weakref import WeakKeyDictionary

import streamlit as st

from vae import live
from vae.data import DatasetInfo
from vae.jobs import JobError
from vae.live.training import ENDED
from vae.project import ProjectError

from ..bridge import first_picture
from ..shell import cached, own, visitors

PAGE = "train"  # the url_path of the page
_ids: WeakKeyDictionary[live.Training, str] = WeakKeyDictionary()
_infos: WeakKeyDictionary[live.Training, DatasetInfo] = WeakKeyDictionary()


def training() -> live.Training | None:
    """Return this visitor's last training, which may have ended; None before there is one."""
    found = live.find(own.visitor())
    if found is None or found not in _infos:  # another tab is about to begin it
        return None
    found.seen()
    visitors.note_visit()
    return found


def is_live(found: live.Training | None) -> TypeGuard[live.Training]:
    """Return whether there is a training that has not ended."""
    return found is not None and found.state not in ENDED


def id_of(found: live.Training) -> str:
    """Return a name by which a browser tells a training from earlier ones."""
    return _ids.setdefault(found, secrets.token_urlsafe(9))


def info_of(found: live.Training) -> DatasetInfo:
    """Return the data set of a training, whose folder may have been removed meanwhile."""
    return _infos[found]


def begin(plan: live.Plan, info: DatasetInfo) -> None:
    """Start a training of this visitor on a data set, in place of his last one. Raises JobError."""
    started = live.Training(plan, info.folder, own.visitor())
    _infos[started] = info
    visitors.note_visit()


def warm_up() -> None:
    """Start the process of the next training, so that its first picture comes soon after its start."""
    if first_picture.served.is_set():
        live.warm_up()


def _keep(who: str) -> None:
    """Keep the training of a visitor who is connected, on whatever page he is."""
    if is_live(found := live.find(who)):
        found.seen()


visitors.when_connected(_keep)


# ---- the model of a training that has ended


@dataclass
class Outcome:
    """What has become of a training's model."""

    name: str = ""  # among the visitor's own; "" where it could not be kept
    problem: str = ""  # why it could not be kept
    chosen: bool = False  # the page Train has made it the current model


_outcomes: WeakKeyDictionary[live.Training, Outcome] = WeakKeyDictionary()
_adopting = threading.Lock()


def outcome(found: live.Training | None, again: bool = False) -> Outcome | None:
    """Add the model of a training that has ended to the visitor's own, once. None where there is no model.

    again: try once more where it could not be kept.
    """
    if found is None or found.state not in ENDED:
        return None
    known = _outcomes.get(found)
    if known is not None and not (again and known.problem):
        return known
    with _adopting:
        known = _outcomes.get(found)  # by another tab, meanwhile
        if known is None or again and known.problem:
            try:
                _outcomes[found] = Outcome(own.adopt(found.result()))
            except JobError:  # it has left no model
                return None
            except (ProjectError, OSError) as error:
                _outcomes[found] = Outcome(problem=str(error))
    return _outcomes[found]


def collect(page: str) -> None:
    """Add the model of a training that has ended to the visitor's own on any page, and say so.

    page: the shown page, by its url_path. The page Train says it in its own way.
    """
    found = training()
    if found is None or found in _outcomes:
        return
    result = outcome(found)
    if result is not None and result.name and page != PAGE:
        title = cached.card(result.name).title
        st.toast(f"Your training has ended. **{title}** is in the model picker, under *Yours*.", duration="long")

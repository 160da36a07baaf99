"""The app's state as query parameters of the URL: a link opened elsewhere shows the same picture.

The link is read when a session or a step of a lesson begins and when the visitor goes back or forward.
bridge/history.py writes it at the end of every run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from vae import store

from . import cached, state
from .parse import parse_code_text, parse_int_text, parse_names_text, repair_link

DEFAULT_MODEL = "mnist-vae-2d"
SHARED_PARAMETERS = ("model", "weights", "z", "seed", "y", "names", "own")  # all others belong to a page
TAB_PARAMETERS = ("lesson", "shuffle", "answer", "revealed")  # of no page: the visitor takes them from page to page
MAX_PAGE_PARAMETERS = 20  # in one link
MAX_LENGTH = 2000  # characters of a page parameter's value
MAX_NAME = 40  # characters of an unknown model's name in a sentence
# What a run of app.py adds to its page: the link when it ends, and the tools at its top, with undo and redo if the
# argument is true. They are components, which the shell does not import.
write_link: ContextVar[Callable[[], None]] = ContextVar("write_link", default=lambda: None)
show_tools: ContextVar[Callable[[bool], None]] = ContextVar("show_tools", default=lambda moves_z: None)


def begin_run(page: str = "") -> None:
    """Read the link on a session's first run and when Back or Forward has reached another history entry.

    page: the url_path of the shown page.
    """
    earlier = st.session_state.get("page_parameters", {})
    st.session_state.page_parameters = {}
    st.session_state.left_out = []
    if st.session_state.get("shown_page", page) != page:
        earlier = {key: value for key, value in earlier.items() if key in TAB_PARAMETERS}
        state.restore_own_model()
    st.session_state.shown_page = page
    cached.refresh()
    cards, problems = cached.zoo_scan()
    if not cards:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in problems.items())
        st.error(f"No model can be used: {reasons}" if problems else store.no_models())
        st.stop()
    if "model" not in st.session_state:
        _read(st.query_params.to_dict(), cards, problems)
    elif _is_history_navigation():
        _restore(st.query_params.to_dict(), earlier)
    elif st.session_state.model not in cards:
        _leave_removed(cards, problems)
    elif st.session_state.weights != cards[st.session_state.model].weights_hash:
        apply(parameters())  # the session's model was trained again


def _is_history_navigation() -> bool:
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _restore(parameters: dict[str, str], earlier: dict[str, str]) -> None:
    """Set the state to that of a history entry: apply its link, and remove what it lacks, such as a lesson's step.

    An entry without a link, of a page that was left before its first run ended, changes nothing. earlier: the page
    parameters of the run before.
    """
    st.session_state.restored_link = parameters
    # Otherwise the browser would send this query with all later requests, even those that begin a new session.
    st.query_params.clear()
    if parameters:
        apply(dict.fromkeys(earlier, "") | parameters)


def _leave_removed(cards: dict, problems: dict) -> None:
    """Switch from a model whose folder was removed or damaged during the session to one that is there."""
    name, there = st.session_state.model, _default_model(cards)
    reason = f"cannot be used any more: {problems[name]}" if name in problems else "was removed"
    state.add_warning(f"The model {name} {reason}. You see {there} instead.")
    _read({"model": there, "seed": str(state.seed())}, cards, problems)


def _default_model(cards: dict) -> str:
    return DEFAULT_MODEL if DEFAULT_MODEL in cards else next(iter(cards))


def end_page() -> None:
    """Write the link and stop the page before its last line. After st.stop nothing more can be sent."""
    write_link.get()()
    st.stop()


def parameters() -> dict[str, str]:
    """Return the query parameters that restore the current state."""
    s = st.session_state
    result = {"model": s.model, "weights": s.weights, "z": _code_text(s.z), "seed": str(s.seed)}
    if state.traits().num_classes:
        result["y"] = str(s.y)
    if state.names():
        result["names"] = ";".join(f"{d}:{name}" for d, name in sorted(state.names().items()))
    own = s.get("own_place")
    if own:
        result["own"] = f"{own['model']}:{_code_text(own['z'])}:{own['y']}"
    return result | st.session_state.get("page_parameters", {})


def _code_text(z: tuple[float, ...]) -> str:
    return ",".join(f"{v:g}" for v in z)


def set_page_parameter(key: str, value: str) -> None:
    """Add a page's own parameter to the link of this run."""
    st.session_state.page_parameters[key] = value


def leave_out(what: str) -> None:
    """Note something that this run shows and no link contains, such as "your drawing"."""
    st.session_state.left_out.append(what)


def left_out() -> list[str]:
    """Return what this run shows and no link contains."""
    return list(dict.fromkeys(st.session_state.left_out))


def pop_page_parameter(key: str) -> str | None:
    """Return and remove a page's own parameter of the last link that was read; None where it has none."""
    return st.session_state.get("pending_parameters", {}).pop(key.lower(), None)  # as repair_link writes it


def add_page_parameters(parameters: dict[str, str]) -> None:
    """Add pages' own parameters to those of the last link that was read. The link's have priority."""
    lower = {key.lower(): value for key, value in parameters.items()}
    st.session_state.pending_parameters = lower | st.session_state.get("pending_parameters", {})


def apply(parameters: dict[str, str]) -> None:
    """Set the state as opening a link with these parameters would."""
    _read(parameters, *cached.zoo_scan())


def _read(parameters: dict[str, str], cards: dict, problems: dict) -> None:
    """Set the state to a link's. What cannot be used is named in one sentence at the end of the run."""
    parameters = repair_link(parameters)
    own = [(k, v) for k, v in parameters.items() if k not in SHARED_PARAMETERS and len(v) <= MAX_LENGTH]
    st.session_state.pending_parameters = dict(own[:MAX_PAGE_PARAMETERS])
    name = _model_name(parameters, cards, problems)
    state.begin_model(name)
    st.session_state.y = 0
    state.set_seed(_int_parameter(parameters, "seed", 0, state.MAX_SEED))
    model = state.traits()
    for d, name in parse_names_text(parameters.get("names", ""), model.latent_dim, state.MAX_NAME):
        state.rename(d, name)
    _read_point(parameters)
    own_name, _, place = parameters.get("own", "").partition(":")
    if own_name in cards and own_name != st.session_state.model:
        _read_own(own_name, *place.split(":")[:2])


def _model_name(parameters: dict[str, str], cards: dict, problems: dict) -> str:
    """Return the link's model, or the default where it cannot be used."""
    name = parameters.get("model", DEFAULT_MODEL).strip().lower()
    if name not in cards:
        fallback = _default_model(cards)
        if "model" in parameters:
            # Only the characters of models' names: the sentence is Markdown, and the link is untrusted.
            shown = re.sub("[^a-z0-9-]", "", name)[:MAX_NAME]
            missing = f"the model {shown} does not exist" if shown else "its model does not exist"
            reason = f"{name} is unavailable: {problems[name]}" if name in problems else missing
            refuse(f"{reason}, so you see {cards[fallback].title}")
        return fallback
    if parameters.get("weights", cards[name].weights_hash) != cards[name].weights_hash:
        state.add_warning(
            f"{cards[name].title} has been trained again since this link was made, so the images may differ."
        )
    return name


def _read_point(parameters: dict[str, str]) -> None:
    """Set the link's z and class. The model's start replaces what is absent or cannot be used."""
    model = state.traits()
    values = None
    if "z" in parameters:
        values, problem = parse_code_text(parameters["z"], model.latent_dim, state.MAX_ABS)
        if problem:
            refuse(problem)
    if values is not None:
        missing = np.isnan(values)
        if missing.any():
            state.begin_at_first_image()
            values[missing] = np.array(st.session_state.z)[missing]
        state.set_z(values, y=_class_parameter(parameters, 0))
    elif model.num_classes and "y" in parameters:
        x, label = state.first_image()
        state.set_image(x, _class_parameter(parameters, label))
    else:
        state.begin_at_first_image()


def _read_own(name: str, z: str = "", y: str = "") -> None:
    """Set the visitor's own model, for which the link's model is a stand-in, and its z and class."""
    model = cached.traits(name)
    values, problem = parse_code_text(z, model.latent_dim, state.MAX_ABS)
    if values is not None and not problem:
        state.set_own_place(name, values, parse_int_text(y, 0, max(model.num_classes - 1, 0)) or 0)


def _class_parameter(parameters: dict, default: int) -> int:
    """Return the class of a link; the default for unconditional models."""
    classes = state.traits().num_classes
    return _int_parameter(parameters, "y", default, classes - 1) if classes else default


def _int_parameter(parameters: dict, key: str, default: int, high: int) -> int:
    """Return an integer parameter, 0 to high, or the default. Refuses an invalid value."""
    if key not in parameters:
        return default
    value = parse_int_text(parameters[key].strip(), 0, high)
    if value is None:
        refuse(f"{key} must be a whole number from 0 to {high}")
        return default
    return value


def refuse(reason: str) -> None:
    """Add to the sentence that names what cannot be used of the last link. reason: a clause in plain text."""
    st.session_state.setdefault("refused", []).append(reason)


def show_warnings() -> None:
    """Show the pending warnings, each once."""
    for sentence in st.session_state.pop("warnings", []):
        st.warning(sentence)
    refused = dict.fromkeys(st.session_state.pop("refused", []))
    if refused:
        st.warning(f"Part of this link cannot be used: {'; '.join(refused)}.")

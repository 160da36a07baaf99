"""The app's state as query parameters of the URL: a link opened elsewhere shows the same picture.

The link is read when a session or a step of a lesson begins. It is written at the end of every run.
"""

from __future__ import annotations

import streamlit as st

from vae import store

from . import cached, state, torch_loading
from .parse import parse_code_text, parse_int_text, parse_names_text

DEFAULT_MODEL = "mnist-vae-2d"
SHARED_PARAMETERS = ("model", "weights", "z", "seed", "y", "names")  # all others belong to a page
MAX_PAGE_PARAMETERS = 20  # in one link
MAX_LENGTH = 2000  # characters of a page parameter's value


def begin_run(page: str = "") -> None:
    """Read the link on a session's first run and ignore it on later ones. page: the url_path of the shown page."""
    st.session_state.page_parameters = {}
    if st.session_state.get("shown_page", page) != page:
        state.restore_own_model()
    st.session_state.shown_page = page
    cached.refresh()
    cards, problems = cached.zoo_scan()
    if not cards:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in problems.items())
        st.error(f"No model can be used: {reasons}" if problems else store.no_models())
        st.stop()
    if "model" not in st.session_state:
        st.session_state.sent_link = st.query_params.to_dict()
        _read(st.query_params.to_dict(), cards, problems)
    elif st.session_state.model not in cards:
        _leave_removed(cards, problems)
    elif st.session_state.weights != cards[st.session_state.model].weights_hash:
        apply(parameters())  # the session's model was trained again


def _leave_removed(cards: dict, problems: dict) -> None:
    """Switch from a model whose folder was removed or damaged during the session to one that is there."""
    name, there = st.session_state.model, _default_model(cards)
    reason = f"cannot be used any more: {problems[name]}" if name in problems else "was removed"
    state.add_warning(f"The model {name} {reason}; this is {there} instead.")
    _read({"model": there, "seed": str(state.seed())}, cards, problems)


def _default_model(cards: dict) -> str:
    return DEFAULT_MODEL if DEFAULT_MODEL in cards else next(iter(cards))


def end_run() -> None:
    """Write the state to the URL. Navigation clears it, so every run has to do this."""
    current = parameters()
    # A request sent before our last link reached the browser carries the previous link: query_params can then
    # match while the URL is out of date. Hence the second comparison.
    if st.query_params.to_dict() != current or st.session_state.sent_link != current:
        st.query_params.from_dict(current)
        st.session_state.sent_link = current
    torch_loading.start()


def end_page() -> None:
    """Write the link and stop the page before its last line. st.stop alone would leave the old link in the URL."""
    end_run()
    st.stop()


def parameters() -> dict[str, str]:
    """Return the query parameters that restore the current state."""
    s = st.session_state
    result = {"model": s.model, "weights": s.weights, "z": ",".join(f"{v:g}" for v in s.z), "seed": str(s.seed)}
    if state.traits().num_classes:
        result["y"] = str(s.y)
    if state.names():
        result["names"] = ";".join(f"{d}:{name}" for d, name in sorted(state.names().items()))
    return result | st.session_state.get("page_parameters", {})


def set_page_parameter(key: str, value: str) -> None:
    """Add a page's own parameter to the link of this run."""
    st.session_state.page_parameters[key] = value


def pop_page_parameter(key: str) -> str | None:
    """Return and remove a page's own parameter of the last link that was read; None where it has none."""
    return st.session_state.get("pending_parameters", {}).pop(key, None)


def add_page_parameters(parameters: dict[str, str]) -> None:
    """Add pages' own parameters to those of the last link that was read. The link's have priority."""
    st.session_state.pending_parameters = parameters | st.session_state.get("pending_parameters", {})


def apply(parameters: dict[str, str]) -> None:
    """Set the state as opening a link with these parameters would."""
    _read(parameters, *cached.zoo_scan())


def _read(parameters: dict[str, str], cards: dict, problems: dict) -> None:
    own = [(k, v) for k, v in parameters.items() if k not in SHARED_PARAMETERS and len(v) <= MAX_LENGTH]
    st.session_state.pending_parameters = dict(own[:MAX_PAGE_PARAMETERS])
    name = parameters.get("model", DEFAULT_MODEL)
    if name not in cards:
        fallback = _default_model(cards)
        if "model" in parameters:
            # Do not repeat an unknown name: the sentence is Markdown, and the link is untrusted.
            reason = f"{name} is unavailable: {problems[name]}" if name in problems else "does not exist"
            state.add_warning(f"The link's model {reason}; this is {fallback} instead.")
        name = fallback
        parameters = {k: v for k, v in parameters.items() if k == "seed"}
    elif parameters.get("weights", cards[name].weights_hash) != cards[name].weights_hash:
        state.add_warning(
            f"{cards[name].title} has been trained again since this link was made. You see the new weights, so the "
            "picture may differ."
        )
    state.begin_model(name)
    st.session_state.y = 0
    state.set_seed(_int_parameter(parameters, "seed", 0, state.MAX_SEED))
    model = state.traits()
    for d, name in parse_names_text(parameters.get("names", ""), model.latent_dim, state.MAX_NAME):
        state.rename(d, name)
    values = None
    if "z" in parameters:
        values, problem = parse_code_text(parameters["z"], model.latent_dim, state.MAX_ABS)
        if values is None:
            state.add_warning(f"The link's z cannot be used: {problem}. This is the starting point instead.")
    if values is not None:
        state.set_z(values, y=_class_parameter(parameters, 0))
    elif model.num_classes and "y" in parameters:
        x, label = state.first_image()
        state.set_image(x, _class_parameter(parameters, label))
    else:
        state.begin_at_first_image()


def _class_parameter(parameters: dict, default: int) -> int:
    """Return the class of a link; the default for unconditional models."""
    classes = state.traits().num_classes
    return _int_parameter(parameters, "y", default, classes - 1) if classes else default


def _int_parameter(parameters: dict, key: str, default: int, high: int) -> int:
    """Return an integer parameter, 0 to high, or the default. Warns if the value is invalid."""
    if key not in parameters:
        return default
    value = parse_int_text(parameters[key], 0, high)
    if value is None:
        state.add_warning(f"The link's {key} must be a whole number from 0 to {high}; it is {default}.")
        return default
    return value


def show_warnings() -> None:
    """Show the pending warnings, each once."""
    for sentence in st.session_state.pop("warnings", []):
        st.warning(sentence)

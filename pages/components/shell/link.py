"""The link: the state in the URL. A link opened elsewhere shows the same picture.

It is read when a session begins and when a step of a lesson is taken, and written at the end of every run.
"""

from __future__ import annotations

import streamlit as st

from . import cached, state
from .parse import parse_code_text, parse_int_text, parse_names_text

DEFAULT_MODEL = "mnist-vae-2d"
OWN = ("model", "z", "seed", "y", "names")  # in every page's link; other parameters belong to a page
MAX_ASKED, MAX_LENGTH = 20, 2000  # parameters of pages in one link, and characters of a value


def begin_run() -> None:
    """Read the link on a session's first run; later runs ignore it."""
    st.session_state.of_page = {}
    cards, problems = cached.zoo_scan()
    if not cards:
        st.error("No model can be used: " + "; ".join(f"{k}: {v}" for k, v in problems.items()))
        st.stop()
    if "model" not in st.session_state or st.session_state.model not in cards:
        st.session_state.told_link = st.query_params.to_dict()
        _read(st.query_params.to_dict(), cards, problems)


def end_run() -> None:
    """Mirror the state to the URL, which navigation empties."""
    wanted = parameters()
    # a browser that asked before our last link reached it sends the link before that one: query_params
    # may then look right while the URL is about to be wrong
    if st.query_params.to_dict() != wanted or st.session_state.told_link != wanted:
        st.query_params.from_dict(wanted)
        st.session_state.told_link = wanted


def end_page() -> None:
    """End a page before its last line. st.stop alone would leave the old link in the URL."""
    end_run()
    st.stop()


def parameters() -> dict[str, str]:
    """Return the query parameters that lead to the present state."""
    s = st.session_state
    found = {"model": s.model, "z": ",".join(f"{v:g}" for v in s.z), "seed": str(s.seed)}
    if state.model().num_classes:
        found["y"] = str(s.y)
    if state.names():
        found["names"] = ";".join(f"{d}:{name}" for d, name in sorted(state.names().items()))
    return found | st.session_state.get("of_page", {})


def say(key: str, value: str) -> None:
    """Add a parameter of a page or a wing to this run's link."""
    st.session_state.of_page[key] = value


def asked(key: str) -> str | None:
    """Return a page's or a wing's own parameter of the link that was read last, and forget it."""
    return st.session_state.get("asked", {}).pop(key, None)


def follow(parameters: dict[str, str]) -> None:
    """Set the state as a link with these parameters would."""
    _read(parameters, *cached.zoo_scan())


def _read(parameters: dict[str, str], cards: dict, problems: dict) -> None:
    others = [(key, value) for key, value in parameters.items() if key not in OWN and len(value) <= MAX_LENGTH]
    st.session_state.asked = dict(others[:MAX_ASKED])
    name = parameters.get("model", DEFAULT_MODEL)
    if name not in cards:
        fallback = DEFAULT_MODEL if DEFAULT_MODEL in cards else next(iter(cards))
        if "model" in parameters:
            # the sentence does not repeat an unknown name: it is Markdown, and the link may be anybody's
            reason = f"{name} is unavailable: {problems[name]}" if name in problems else "does not exist"
            state.complain(f"The link's model {reason}; this is {fallback} instead.")
        name = fallback
        parameters = {k: v for k, v in parameters.items() if k == "seed"}
    state.begin_model(name)
    st.session_state.y = 0
    state.set_seed(_integer(parameters, "seed", 0, state.MAX_SEED))
    model = state.model()
    for d, name in parse_names_text(parameters.get("names", ""), model.latent_dim, state.MAX_NAME):
        state.rename(d, name)
    values = None
    if "z" in parameters:
        values, problem = parse_code_text(parameters["z"], model.latent_dim, state.MAX_ABS)
        if values is None:
            state.complain(f"The link's z cannot be used: {problem}. This is the starting point instead.")
    x, y = state.first_image() if values is None else (None, 0)
    if model.num_classes:
        y = _integer(parameters, "y", y, model.num_classes - 1)
    if values is None:
        state.set_image(x, y)
    else:
        state.set_z(values, y=y)


def _integer(parameters: dict, key: str, default: int, highest: int) -> int:
    """Return a whole number of the link, or the default with a complaint where it is none."""
    if key not in parameters:
        return default
    value = parse_int_text(parameters[key], 0, highest)
    if value is None:
        state.complain(f"The link's {key} must be a whole number from 0 to {highest}; it is {default}.")
        return default
    return value


def tell_complaints() -> None:
    """Show, once, what is wrong with the link that was read last and what else could not be done."""
    for sentence in st.session_state.pop("complaints", []):
        st.warning(sentence)

"""A round's result as a link: the code that a player has reached. Whoever opens it sees the same target and the score.

The score is computed again from the code, because anyone can edit a link.
"""

from __future__ import annotations

import streamlit as st
import torch
from torch import Tensor

from ..bridge.toolbar import page_address
from ..shell import link, settings, state
from ..shell.parse import parse_code_text, parse_int_text
from ..widgets.picture_grid import picture_grid
from .panel import MAX_ABS, Round

SETTINGS = {"match_result": ("text",)}  # "2:0.5,-1.2": the round, from 1, and the code


def address(data: str, seed: int, number: int, z: list[float]) -> str:
    """Return the link to a result. number: of the round, from 0. z: (D,)."""
    result = f"{number + 1}:{','.join(f'{value:.4g}' for value in z)}"
    query = {"match_data": data, "seed": str(seed), "match_result": result}
    return page_address(st.context.url or "", "match", query)


def of_link(game: list[Round]) -> tuple[int, Tensor] | None:
    """Return (round, code (D,)) of the result that the link has; None, and a sentence, for one that cannot be used."""
    settings.take("match_result")
    text = st.session_state.get("match_result", "")
    if not text:
        settings.leave_out("match_result")
        return None
    number, _, code = text.partition(":")
    index = parse_int_text(number, 1, len(game))
    if index is not None:
        values, problem = parse_code_text(code, len(game[index - 1].start), MAX_ABS)
        if values is not None and not problem:
            return index - 1, torch.from_numpy(values)
    link.refuse("its result of a round cannot be read")
    forget()
    return None


def forget() -> None:
    """Return from a result to the game."""
    st.session_state["match_result"] = ""


def show(game: list[Round], index: int, z: Tensor) -> None:
    """Show the target of a round beside the image of a code, and its score."""
    current = game[index]
    picture = current.decode(z)
    st.header(f"Result of model {index + 1} of {len(game)}: {current.score(z):.0f} %", anchor=False)
    picture_grid(
        torch.cat([current.image, picture]), ["the target", "the result"], key="match_result_pictures", columns=2,
        size=220, captions=["target", "result"], name="target and result",
    )  # fmt: skip
    if not state.finite(picture):
        st.warning(state.not_finite_message("for this result"))
    st.button("Play this game", type="primary", on_click=forget, key="match_play")

"""Match the target: rounds against hidden models, each with sliders over its own latent code.

Target and start are the same test images for every model, as the model decodes them, so that each can be
matched to within a slider's step: the models differ only in how their latent spaces are laid out.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from vae import browser
from vae.metrics import multiscale_distance

from ..bridge import messages
from ..bridge.rerun import request_rerun, rerun_if_requested
from ..shell import cached, state
from ..shell.parse import parse_int, parse_number, parse_numbers, parse_object

_component = st.components.v2.component(
    "match",
    html=browser.source("widgets/match/match.html"),
    css=browser.source("widgets/match/match.css"),
    js=browser.source("runtime/mailbox.js", "runtime/questions.js", "runtime/pixels.js", "widgets/match/match.js"),
)
KEY = "match_panel"
FACTORS = "the true factors"
MACHINES = {  # by data set; the renderer itself is one of them
    "sprites": ("sprites-ae", "sprites-vae", "sprites-btcvae", FACTORS),
    "rooms": ("rooms-ae", "rooms-vae", "rooms-ada", FACTORS),
}
ENOUGH = 80  # the score at which a round is won
CANDIDATES = 12  # starts, of which the one farthest from the target is used
ACTIVE = 0.01  # variance of posterior means, as for active units
MAX_ABS = 1e6  # of a slider's value
MAX_SECONDS, MAX_MOVES = 86_400, 100_000  # of a round


@dataclass(frozen=True)
class Round:
    """A model's task. The code of the true factors is the index of each factor's value."""

    id: str
    machine: str
    sliders: list[dict]  # index, name, low, high, step
    start: Tensor  # (D,)
    target: Tensor  # (D,)

    @property
    def data(self) -> str:
        return self.id.split()[0]

    def decode(self, z: Tensor) -> Tensor:
        """Decode a code (D,) -> its picture (1, C, H, W)."""
        if self.machine != FACTORS:
            with torch.no_grad():
                return cached.model(self.machine).decode(z[None])
        grid = cached.info(self.data).grid
        factors = z.round().long().numpy().clip(0, np.array(grid.sizes) - 1)
        return torch.from_numpy(grid.render(factors[None])).float() / 255

    def score(self, z: Tensor) -> float:
        """Return 100 for the target, 0 for a picture that is no nearer to it than the start."""
        goal = self.decode(self.target)
        from_start = multiscale_distance(self.decode(self.start), goal)
        score = 100 * (1 - multiscale_distance(self.decode(z), goal) / from_start).clamp(0, 1)
        return float(score.nan_to_num(0))  # 0 for a picture that is not finite


def machines(data: str) -> list[str]:
    """Return the models of a data set that are available with encoded data."""
    cards = cached.zoo_scan()[0]
    return [
        name for name in MACHINES.get(data, ())
        if name == FACTORS or name in cards and cached.model_map(name) is not None
    ]  # fmt: skip


def rounds(data: str, seed: int) -> list[Round]:
    """Return a round for each model of a data set, in random order, on one target and one start."""
    rng = np.random.default_rng([seed, 7])
    split, grid = cached.gallery(data), cached.info(data).grid
    goal, *starts = rng.choice(len(split), 1 + CANDIDATES, replace=False)
    x, _ = split.batch([goal, *starts])
    start = starts[int(multiscale_distance(x[1:], x[:1].expand_as(x[1:])).argmax())]
    pair, _ = split.batch([start, goal])
    order = rng.permutation(machines(data)).tolist()
    found = []
    for i, machine in enumerate(order):
        if machine == FACTORS:
            codes = torch.from_numpy(split.factors[[start, goal]]).float()
            sliders = [
                {"index": k, "name": f"slider {k + 1}", "low": 0, "high": size - 1, "step": 1}
                for k, size in enumerate(grid.sizes)
            ]
        else:
            codes, sliders = _codes_and_sliders(machine, pair)
        found.append(Round(f"{data} {seed} {i}", machine, sliders, codes[0], codes[1]))
    return found


def _codes_and_sliders(machine: str, pair: Tensor) -> tuple[Tensor, list[dict]]:
    """Return (start, target) (2, D) and a slider for each active dimension."""
    model = cached.model(machine)
    with torch.no_grad():
        codes = model.encode(pair).mean.clone()
    spread = cached.model_map(machine).codes.var(0)
    ranges = cached.slider_ranges(machine)
    active = [d for d in cached.dimension_order(machine) if spread[d] > ACTIVE]
    idle = [d for d in range(model.latent_dim) if d not in active]
    codes[0, idle] = codes[1, idle]  # a dimension without a slider cannot be matched by hand
    low = np.minimum(ranges[:, 0], codes.amin(0).numpy())
    high = np.maximum(ranges[:, 1], codes.amax(0).numpy())
    sliders = [
        {
            "index": d, "name": f"slider {i + 1}", "low": float(low[d]), "high": float(high[d]),
            "step": float((high[d] - low[d]) / 100),
        }
        for i, d in enumerate(active)
    ]  # fmt: skip
    return codes, sliders


@st.fragment
def match_panel(current: Round, player: str, on_finished) -> None:
    """Play a round; on_finished(score, seconds, moves) runs before the page does. A new player starts a new
    round."""
    rerun_if_requested(KEY)
    goal, begin = current.decode(current.target), current.decode(current.start)
    if not state.finite(current.target, current.start, goal, begin):
        st.warning(state.not_finite_message("for this game's images"))
        return
    pixels = cached.info(current.data).modality.picture(goal)[0]  # (H, W, C)
    height, width, channels = pixels.shape
    browser_decodes = current.machine != FACTORS
    _component(
        key=KEY,
        data=messages.without_nan({
            "round": _name(current, player), "sliders": current.sliders, "start": current.start.tolist(),
            "weights": cached.weights_id(current.machine) if browser_decodes else None,
            "target": base64.b64encode(pixels.tobytes()).decode(),
            "start_distance": float(multiscale_distance(begin, goal)), "enough": ENOUGH,
            "height": height, "width": width, "channels": channels,
            "no_number": state.not_finite_message("at this point"),
        }),
        on_ask_change=lambda: None,
        on_finished_change=lambda: _finished(current, player, on_finished),
    )  # fmt: skip
    if browser_decodes:
        messages.deliver_model(current.machine)
    else:
        messages.send_answer(KEY, _answer(current, player))


def _name(current: Round, player: str) -> str:
    return f"{current.id} {player}"


def _answer(current: Round, player: str) -> bytes:
    ask = _payload(current, player, "ask")
    z = None if ask is None else _code(current, ask)
    return (
        b""
        if z is None
        else messages.pictures_message(ask, lambda: current.decode(z), cached.info(current.data).modality)
    )


def _finished(current: Round, player: str, on_finished) -> None:
    payload = _payload(current, player, "finished")
    z = None if payload is None else _code(current, payload)
    if z is None:
        return
    seconds = parse_number(payload.get("seconds"), 0, MAX_SECONDS) or 0.0
    moves = parse_int(payload.get("moves"), 0, MAX_MOVES) or 0
    on_finished(current.score(z), seconds, moves)  # the browser's own score is not trusted
    request_rerun(KEY)


def _payload(current: Round, player: str, event: str) -> dict | None:
    """Return what the browser sent with an event, if it is an object about this round."""
    return parse_object(messages.sent(KEY, event), round=_name(current, player))


def _code(current: Round, payload: dict) -> Tensor | None:
    values = parse_numbers(payload.get("z"), len(current.start), MAX_ABS)
    return None if values is None else torch.tensor(values)

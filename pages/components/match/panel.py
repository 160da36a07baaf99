"""Match the target: a game of rounds, each with sliders over the latent code of one hidden model.

Target and start are the same test images for every model. The score is the share of the way from a picture without
information to the model's best reconstruction, so that sharp models have no advantage and an empty picture scores 0.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from vae.metrics import multiscale_distance
from vae.metrics.disentanglement import ACTIVE

from ..bridge import messages
from ..bridge.component import widget
from ..bridge.rerun import request_rerun, rerun_if_requested
from ..shell import cached, state
from ..shell.parse import parse_int, parse_number, parse_numbers, parse_object

_component = widget("match")
KEY = "match_panel"
FACTORS = "ground-truth factors"
MODELS = {  # by data set, the default first; FACTORS stands for the data set's own renderer
    "rooms": ("rooms-ae", "rooms-vae", "rooms-ada", FACTORS),
    "sprites": ("sprites-ae", "sprites-vae", "sprites-btcvae", FACTORS),
}
SETTINGS = {"match_data": ("choice", *MODELS)}
WIN_SCORE = 80  # a round is won from this score on
SHOWN_FIRST = 4  # sliders, of the dimensions that carry most, before "More dimensions"
START_CANDIDATES = 12  # test images, of which the one farthest from the target becomes the start
AVERAGED = 1000  # test images, whose mean is the average image
MAX_ABS = 1e6  # of a slider's value
MAX_SECONDS, MAX_MOVES = 86_400, 100_000  # of a round


@dataclass(frozen=True)
class Round:
    """One round: a model, a start and a target. If the model is FACTORS, codes are indices of the factors' values."""

    id: str
    model: str  # its name, or FACTORS
    sliders: list[dict]  # index, name, low, high, step
    start: Tensor  # (D,)
    target: Tensor  # (D,)
    image: Tensor  # (1, C, H, W), the target

    @property
    def data(self) -> str:
        return self.id.split()[0]

    def decode(self, z: Tensor) -> Tensor:
        """Decode a code (D,) to its image (1, C, H, W)."""
        if self.model != FACTORS:
            with torch.no_grad():
                return cached.model(self.model).decode(z[None])
        grid = cached.info(self.data).grid
        factors = z.round().long().numpy().clip(0, np.array(grid.sizes) - 1)
        return torch.from_numpy(grid.render(factors[None])).float() / 255

    @property
    def worst(self) -> float:
        """The distance that scores 0: of the average image, or of the plain one of the target's mean colour if it is
        nearer. No other plain image is nearer to the target."""
        plain = self.image.mean((2, 3), keepdim=True).expand_as(self.image)
        return min(self._distance(image) for image in (torch.from_numpy(average_image(self.data)), plain))

    @property
    def best(self) -> float:
        """The distance that scores 100: of the model's reconstruction of the target."""
        return self._distance(self.decode(self.target))

    def _distance(self, image: Tensor) -> float:
        return float(multiscale_distance(image, self.image))

    def score(self, z: Tensor) -> float:
        """Return the score of a code (D,) in per cent; 0 where its picture is not finite."""
        share = (self.worst - self._distance(self.decode(z))) / (self.worst - self.best)
        return 100 * min(1.0, max(0.0, share)) if np.isfinite(share) else 0.0


@st.cache_data(max_entries=4, show_spinner=False)
def average_image(data: str) -> np.ndarray:
    """Return the mean (1, C, H, W) of a data set's first AVERAGED test images."""
    split = cached.gallery(data).first(AVERAGED)
    total = sum(x.sum(0, keepdim=True) for x, _ in split.batches())
    return (total / len(split)).numpy()


def available_models(data: str) -> list[str]:
    """Return the models of a data set's game that are available and have a map, and FACTORS."""
    cards = cached.zoo_scan()[0]
    return [
        name for name in MODELS.get(data, ())
        if name == FACTORS or name in cards and cached.model_map(name) is not None
    ]  # fmt: skip


def rounds(data: str, seed: int) -> list[Round]:
    """Return one round per model of a data set, in random order, all with the same target and start images."""
    rng = np.random.default_rng([seed, 7])
    split, grid = cached.gallery(data), cached.info(data).grid
    target, *starts = rng.choice(len(split), 1 + START_CANDIDATES, replace=False)
    x, _ = split.batch([target, *starts])
    start = starts[int(multiscale_distance(x[1:], x[:1].expand_as(x[1:])).argmax())]
    pair, _ = split.batch([start, target])
    order = rng.permutation(available_models(data)).tolist()
    game = []
    for i, name in enumerate(order):
        if name == FACTORS:
            codes = torch.from_numpy(split.factors[[start, target]]).float()
            sliders = [
                {"index": k, "name": f"slider {k + 1}", "low": 0, "high": size - 1, "step": 1}
                for k, size in enumerate(grid.sizes)
            ]
        else:
            codes, sliders = _codes_and_sliders(name, pair)
        game.append(Round(f"{data} {seed} {i}", name, sliders, codes[0], codes[1], pair[1:]))
    return game


def _codes_and_sliders(name: str, pair: Tensor) -> tuple[Tensor, list[dict]]:
    """Return the codes (2, D) of the start and the target, and a slider for each active dimension.

    Inactive dimensions have no slider, so the start takes their values from the target.
    """
    model = cached.model(name)
    with torch.no_grad():
        codes = model.encode(pair).mean.clone()
    spread = cached.model_map(name).codes.var(0)
    ranges = cached.slider_ranges(name)
    active = [d for d in cached.dimension_order(name) if spread[d] > ACTIVE]
    inactive = [d for d in range(model.latent_dim) if d not in active]
    codes[0, inactive] = codes[1, inactive]
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
def match_panel(current: Round, title: str, player: str, on_finished, follows: Round | None = None) -> None:
    """Show a round under its title. on_finished(score, seconds, moves, z) runs before the page does.

    A new player restarts the round. follows: the round before, whose end the browser shows until the player goes on.
    """
    rerun_if_requested(KEY)
    if not state.finite(current.target, current.start, *map(current.decode, (current.target, current.start))):
        st.warning(state.not_finite_message("for this game's images"))
        return
    pixels = cached.info(current.data).modality.picture(current.image)[0]  # (H, W, C)
    height, width, channels = pixels.shape
    browser_decodes = current.model != FACTORS
    _component(
        key=KEY,
        data={
            "round": _round_name(current, player), "title": title,
            "follows": None if follows is None else _round_name(follows, player),
            "sliders": current.sliders, "start": current.start.tolist(),
            "weights": messages.model_id(current.model) if browser_decodes else None,
            "files": messages.model_files(current.model) if browser_decodes else None,
            "target": base64.b64encode(pixels.tobytes()).decode(),
            "worst": current.worst, "best": current.best, "enough": WIN_SCORE, "shown_first": SHOWN_FIRST,
            "height": height, "width": width, "channels": channels,
            "no_number": state.not_finite_message("for this z"),
        },
        on_ask_change=lambda: None,
        on_finished_change=lambda: _finished(current, player, on_finished),
    )  # fmt: skip
    if not browser_decodes:
        messages.send_answer(KEY, _answer(current, player))


def _round_name(current: Round, player: str) -> str:
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
    # the score is computed here, because values from the browser are untrusted
    on_finished(current.score(z), seconds, moves, z.tolist())
    request_rerun(KEY)


def _payload(current: Round, player: str, event: str) -> dict | None:
    """Return the object that the browser sent with an event; None if it belongs to another round."""
    return parse_object(messages.sent(KEY, event), round=_round_name(current, player))


def _code(current: Round, payload: dict) -> Tensor | None:
    values = parse_numbers(payload.get("z"), len(current.start), MAX_ABS)
    return None if values is None else torch.tensor(values)

"""The state that all pages share: model, z (the current latent code), class and seed.

The session holds them under plain keys that no widget owns; link.py copies them to the URL and back. Every slider,
click, upload and sample calls set_z, and nothing else writes z.

torch is imported inside the functions that compute, because a page shows its first picture before torch is loaded.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

import numpy as np
import streamlit as st

import vae
from vae import remote
from vae.cards import Traits
from vae.data import DatasetInfo
from vae.encoded import nearest_values

from . import cached
from .navigation import ensure_entry_point

if TYPE_CHECKING:
    from torch import Tensor

MAX_ABS = 1000.0  # of a value of z; decoders do not change farther out
DECIMALS = 4  # of z in the URL, and therefore in the session
MAX_SEED = 2**31 - 1
MAX_NAME = 24  # characters in the name of a dimension
MAX_UNDO = 50  # places of z


def model() -> vae.models.LatentModel:
    ensure_entry_point()
    return cached.model(st.session_state.model)


def traits() -> Traits:
    """Return what the current model can do. Unlike model(), this does not need torch."""
    ensure_entry_point()
    return cached.traits(st.session_state.model)


def card() -> vae.ModelCard:
    ensure_entry_point()
    return cached.card(st.session_state.model)


def model_was_removed() -> bool:
    """Return whether the session's model has gone since its last run: its folder may be removed at any time."""
    return "model" in st.session_state and st.session_state.model not in cached.zoo_scan()[0]


def info() -> DatasetInfo:
    """Return the description of the current model's data set."""
    return cached.info(card().data)


def as_pictures(x: Tensor | np.ndarray) -> np.ndarray:
    """Convert images x (N, C, H, W) of the current model's data to pictures (N, H, W, 1 or 3) uint8."""
    return info().modality.picture(x)


def z() -> Tensor:
    """Return the current z (D,)."""
    import torch

    return torch.tensor(st.session_state.z, dtype=torch.float32)


def y(n: int = 1) -> Tensor | None:
    """Return the current class, repeated n times (n,), for conditional models; None for others."""
    import torch

    return torch.full((n,), st.session_state.y) if traits().num_classes else None


def seed() -> int:
    return st.session_state.seed


def version() -> int:
    """Return how often z was written. A panel uses it to distinguish a new z from an echo of its own."""
    return st.session_state.version


def decode(zs: Tensor | np.ndarray, ys: Tensor | None = None) -> Tensor:
    """Decode codes (N, D) to mean images (N, C, H, W) with the current model, under ys (N,) or the current class."""
    import torch

    with torch.no_grad():
        return model().decode(torch.as_tensor(zs), y(len(zs)) if ys is None else ys)


def encode(x: Tensor, ys: Tensor | None = None) -> Tensor:
    """Encode images (N, C, H, W) to posterior means (N, D) with the current model."""
    import torch

    with torch.no_grad():
        return model().encode(x, y(len(x)) if ys is None else ys).mean


def reconstruction_errors(x: Tensor, zs: Tensor, ys: Tensor | None = None) -> np.ndarray:
    """Return -log p(x|z) of images x (N, C, H, W) at codes zs (N, D) and, for conditional models, classes ys (N,), in
    nats (N,)."""
    import torch

    with torch.no_grad():
        return -model().likelihood(zs, ys).log_prob(x).numpy()


def features(zs: Tensor) -> np.ndarray:
    """Return the features (N, F) of codes (N, D), in which the current model's distances are measured."""
    return model().features(zs).numpy()


def finite(*values: Tensor | np.ndarray | float | None) -> bool:
    """Return whether all values are finite. None is ignored."""
    return all(bool(np.isfinite(np.asarray(value)).all()) for value in values if value is not None)


NOT_FINITE = "This model returns a value that is not a finite number {}, so there is nothing to show."


def not_finite_message(where: str = "for this image") -> str:
    """Return the sentence that replaces a picture or a figure that is not finite."""
    if remote.problem() and model().foreign:
        return remote.problem()
    return NOT_FINITE.format(where)


def add_warning(sentence: str) -> None:
    """Add a sentence to the warnings at the top of the next run's page."""
    st.session_state.setdefault("warnings", []).append(sentence)


def set_z(values: Tensor | np.ndarray, y: int | None = None, start: bool = True) -> bool:
    """Make values (D,) the current z, with class y if given. start: also make it the start.

    Returns False if values are not finite. The page then shows a warning and z does not change; a
    model that has no z yet starts at the prior's mean.
    """
    usable = finite(values)
    if not usable:
        stays = "z" in st.session_state
        so = "z did not change" if stays else "z starts at the mean of the prior"
        add_warning(f"This model returned a code with a value that is not a finite number, so {so}.")
        if stays:
            return False
        values = np.nan_to_num(traits().prior_mean, nan=0, posinf=0, neginf=0)
    values = np.asarray(values)
    if traits().discrete:
        values = values.round().clip(0, traits().codebook_size - 1)
    if traits().values is not None:
        values = nearest_values(values, traits().values)
    before = _place() if "start" in st.session_state and "z" in st.session_state else None
    st.session_state.z = as_kept(values)
    if y is not None:
        st.session_state.y = int(y)
    st.session_state.version = st.session_state.get("version", 0) + 1
    if start:
        st.session_state.start = (st.session_state.z, st.session_state.y)
    st.session_state.moved_by = ""
    if before and (before["z"], before["y"]) != (st.session_state.z, st.session_state.y):
        _places("undo").append(before)
        _places("redo").clear()
    return usable


def as_kept(values: np.ndarray) -> tuple[float, ...]:
    """Return values (D,) as the session and the link keep them: within MAX_ABS, with DECIMALS decimals."""
    numbers = [round(min(max(v, -MAX_ABS), MAX_ABS), DECIMALS) for v in values.tolist()]
    return tuple(v + 0.0 for v in numbers)  # + 0.0 turns -0.0 into 0.0


Travel = Literal["undo", "redo"]


def _places(by: Travel) -> deque[dict]:
    """Return the places of the current model that undo or redo returns to, the next one at the end.

    The visitor's own model keeps its places while another one stands in for it.
    """
    kept = st.session_state.setdefault("places", {})
    model = (st.session_state.model, st.session_state.weights)
    if model not in kept:
        for other in [other for other in kept if other[0] != own_model()]:
            del kept[other]
        kept[model] = {"undo": deque(maxlen=MAX_UNDO), "redo": deque(maxlen=MAX_UNDO)}
    return kept[model][by]


def can_travel(by: Travel) -> bool:
    return bool(_places(by))


def travel(by: Travel) -> None:
    """Undo or redo the last change of z or of the class; do nothing if there is none."""
    if can_travel(by):
        _places("redo" if by == "undo" else "undo").append(_place())
        _set_place(_places(by).pop())
        st.session_state.moved_by = by


def travel_to(by: Travel, values: np.ndarray, y: int) -> bool:
    """Undo or redo until z is values (D,) and the class is y. Returns False if no place is, and changes nothing."""
    for steps, place in enumerate(reversed(_places(by)), start=1):
        if place["y"] == y and np.allclose(place["z"], values, atol=1e-3):
            for _ in range(steps):
                travel(by)
            return True
    return False


def moved_by() -> Travel | Literal[""]:
    """Return whether undo or redo has set z; "" if neither has."""
    return st.session_state.get("moved_by", "")


def start_point() -> tuple[tuple[float, ...], int]:
    """Return the start (z, class): the last z that was not set by hand."""
    return st.session_state.start


def names() -> dict[int, str]:
    """Return {dimension: name} of the current model, as named in this session."""
    return st.session_state.setdefault("names", {}).setdefault(st.session_state.model, {})


def all_names() -> dict[int, str]:
    """Return {dimension: name} of the current model, as named in this session or on its card."""
    return {**card().dimension_names, **names()}


def dim_name(d: int) -> str:
    return all_names().get(d) or f"z{d}"


def rename(d: int, name: str) -> None:
    """Name a dimension of the current model. name comes from parse_name; an empty name removes the old one."""
    names().pop(d, None)
    if name and name != f"z{d}":
        names()[d] = name


def locked() -> set[int]:
    """Return the locked dimensions of the current model. The panel, its buttons and Sample z do not change them."""
    return st.session_state.setdefault("locked", {}).setdefault(st.session_state.model, set())


def keep_locked(values: Tensor | np.ndarray) -> np.ndarray:
    """Return values (D,) with the locked dimensions replaced by their current values."""
    kept = np.asarray(values).copy()
    for d in locked():
        kept[d] = st.session_state.z[d]
    return kept


def lock(d: int, on: bool) -> None:
    """Lock or unlock a dimension of the current model."""
    (locked().add if on else locked().discard)(d)


def true_factors() -> tuple[int, ...] | None:
    """Return the true factors (K,) of the current z; None if its image was not rendered from factors."""
    kept = st.session_state.get("factors")
    return kept[1] if kept and kept[0] == (st.session_state.model, version()) else None


def render(factors: np.ndarray) -> Tensor:
    """Return the images (B, C, H, W) in [0, 1] of the current model's data with factor values (B, K): rendered, or
    the nearest test images."""
    import torch

    return torch.from_numpy(cached.factor_images(card().data).render(factors)).float() / 255


def set_factors(factors: np.ndarray) -> None:
    """Render the image with these factor values (K,) and make its code the current z."""
    if set_z(encode(render(factors[None]))[0]):
        _set_true_factors(factors)


def _set_true_factors(factors) -> None:
    st.session_state.factors = ((st.session_state.model, version()), tuple(map(int, factors)))


def set_y(value: int) -> None:
    set_z(z(), y=value)


def set_seed(value: int) -> None:
    st.session_state.seed = int(value)


def next_seed() -> None:
    set_seed((seed() + 1) % (MAX_SEED + 1))


def set_model(name: str) -> None:
    """Switch to a model and set its z.

    If both models have the same data, the new one encodes the picture that the old one decodes at z. Otherwise, or if
    that picture is not finite, it starts at the first image of its own data.
    """
    same_data = card().data == cached.card(name).data
    factors = true_factors() if same_data else None
    if factors is not None:
        x, label = render(np.array([factors])), None
    elif same_data:
        x, label = decode(z()[None]), st.session_state.y if traits().num_classes else None
    begin_model(name)
    if not same_data or not finite(x):
        begin_at_first_image()
    elif set_image(x, label) and factors is not None:
        _set_true_factors(factors)


def begin_model(name: str) -> None:
    """Make a model the current one, as the visitor's own, and remove z, which belongs to the previous model."""
    st.session_state.pop("own_place", None)
    st.session_state.pop("stand_in_place", None)
    st.session_state.model = name
    st.session_state.weights = card().weights_hash
    st.session_state.pop("z", None)
    # a model that was trained again may have fewer dimensions
    for d in [d for d in names() if d >= card().latent_dim]:
        names().pop(d)
    locked().intersection_update(range(card().latent_dim))


PLACE_KEYS = ("model", "weights", "z", "y", "start")


def _place() -> dict:
    """Return what set_place restores: the current model, its weights, z, class, start and true factors."""
    return {key: st.session_state[key] for key in PLACE_KEYS} | {"factors": true_factors()}


def _set_place(place: dict) -> None:
    st.session_state.update({key: place[key] for key in PLACE_KEYS})
    st.session_state.version = version() + 1
    if place["factors"] is not None:
        _set_true_factors(place["factors"])


def own_model() -> str:
    """Return the model that the visitor chose. On a page that cannot use it, another one is the current model."""
    return st.session_state.get("own_place", st.session_state)["model"]


def set_own_place(model: str, values: np.ndarray, y: int) -> None:
    """Set the visitor's own model, for which the current one stands in, at the code values (D,) and class y."""
    z = tuple(values.tolist())
    weights = cached.card(model).weights_hash
    st.session_state.own_place = {
        "model": model, "weights": weights, "z": z, "y": y, "start": (z, y), "factors": None,
    }  # fmt: skip


def set_stand_in(name: str) -> None:
    """Make a model the current one for as long as the shown page cannot use the visitor's own."""
    own = st.session_state.get("own_place") or _place()
    earlier = st.session_state.get("stand_in_place")
    if earlier and earlier["model"] == name:
        _set_place(earlier)
    else:
        set_model(name)
    st.session_state.own_place = own


def restore_own_model() -> None:
    """Return from a stand-in to the visitor's own model, z and class. set_stand_in returns to the stand-in's."""
    if "own_place" in st.session_state:
        st.session_state.stand_in_place = _place()
        _set_place(st.session_state.pop("own_place"))


def begin_at_first_image() -> None:
    """Make the code of the first image of the current model's data the current z."""
    start = cached.first_view(card().name, card()).get("start")
    if start is not None:  # encoded when the model was saved
        set_z(np.array(start["z"], np.float32), y=start["y"])
    else:
        set_image(*first_image())


def first_image() -> tuple[Tensor, int]:
    """Return the test image (1, C, H, W) at which the current model's data starts, and its class."""
    x, labels = cached.gallery(card().data).batch([info().start])
    return x, int(labels[0])


def set_image(x: Tensor, label: int | None) -> bool:
    """Make the code of x (1, C, H, W) the current z, under the given class or, if None, the most likely one.

    Returns False if the image or its code is not finite.
    """
    if not finite(x):  # another model may have decoded it
        return False
    import torch

    if not traits().num_classes:
        return set_z(encode(x)[0], y=0)
    label = int(model().most_likely_class(x)[0]) if label is None else label
    return set_z(encode(x, torch.tensor([label]))[0], y=label)

"""Python code for the current picture: load the model, set z, decode, and last how a picture becomes a code."""

from __future__ import annotations

import streamlit as st

from vae import project
from vae.data import DATASETS

from ..shell import state, visitors


def python_code() -> str:
    """Return a program that decodes the current z, and encodes a picture where the data set is a registered one."""
    card, given = state.card(), ", y" if state.traits().num_classes else ""
    lines = [
        "import torch", "import vae", "", *_first(card.name), f"model = vae.load({visitors.plain_name(card.name)!r})",
        f"z = torch.tensor([[{', '.join(f'{v:g}' for v in st.session_state.z)}]])",
        *([f"y = torch.tensor([{st.session_state.y}])"] if given else []),
        f"x_hat = model.decode(z{given})  # {(1, *card.image_shape)}, from 0 to 1",
    ]  # fmt: skip
    if card.data in DATASETS:
        lines += [
            "", "# from a picture to its latent code",
            'image = vae.uploads.read_image(open("picture.png", "rb").read())',
            f"x = vae.data.DATASETS[{card.data!r}].prepare(image).x", f"z = model.encode(x{given}).mean",
        ]  # fmt: skip
    return "\n".join(lines)


def _first(name: str) -> list[str]:
    """Return a comment on what comes first, where the model is not in a folder that vae.load reads."""
    file = visitors.plain_name(name) + project.SUFFIX
    return [f"# first download the model file, then: python -m vae import {file}"] if visitors.suffix_of(name) else []

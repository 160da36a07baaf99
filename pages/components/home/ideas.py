"""Six ideas, each a model and the page that shows it best."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from ..shell import cached, link, navigation
from ..shell.glossary import explain

PICTURES = Path(__file__).with_name("pictures")  # written by idea_pictures.py
ACROSS = 3


class Idea(NamedTuple):
    title: str
    sentence: str
    model: str
    page: str
    parameters: dict[str, str] = {}  # of the link to the page, besides the model
    alt: str = ""  # of the picture


IDEAS = {
    "sample": Idea(
        "Sample",
        "Sample codes from the prior. The decoder turns each into a digit that nobody wrote.",
        "mnist-vae-16d", "sample", alt="18 sampled digits",
    ),
    "disentangle": Idea(
        "Disentangle",
        "Change one property of a room, such as the hue of its wall, and see which dimension responds.",
        "rooms-ada", "disentangle", alt="a room in three rows; each row changes one dimension of its code",
    ),
    "glasses": Idea(
        "Add glasses",
        "Glasses are a direction in the latent space of cartoon faces. Move along it to add them.",
        "faces-vae", "sliders", alt="three faces; glasses appear from left to right",
    ),
    "typeface": Idea(
        "One letter in every typeface",
        "Give a conditional VAE a letter. Its latent code then encodes the typeface.",
        "glyphs-cvae", "sample", {"y": "36"}, "the letter k in 18 typefaces",
    ),
    "boot": Idea(
        "From shirt to boot",
        "Interpolate between two images. Compare the path of codes with a plain cross-fade.",
        "fashion-vae-16d", "interpolate", {"interpolate_A": "7", "interpolate_B": "0"},
        "three garments that change into others from left to right",
    ),
    "map": Idea(
        "A map of clothes",
        "A map places thousands of test images by their codes. Each position on it decodes to an image.",
        "fashion-vae-16d", "map", alt="a map of clothes, coloured by class",
    ),
}  # fmt: skip


def show_ideas() -> None:
    """Show the ideas whose models are there as cards, each with a button that opens its page."""
    usable = [(key, idea) for key, idea in IDEAS.items() if idea.model in cached.zoo_scan()[0]]
    for first in range(0, len(usable), ACROSS):
        columns = st.columns(ACROSS)
        for column, (key, idea) in zip(columns, usable[first : first + ACROSS], strict=False):
            with column.container(key=f"idea_{key}", border=True, height="stretch"):
                _card(key, idea)


def _card(key: str, idea: Idea) -> None:
    picture, text = st.columns([2, 3], gap="small")
    picture.image((PICTURES / f"{key}.webp").read_bytes(), width="stretch", alt=idea.alt)
    with text.container(gap="xsmall"):
        st.markdown(f"**{idea.title}**  \n{explain(idea.sentence)}")
        st.button(
            f"Open {idea.page.capitalize()}", key=f"open_{key}", on_click=open_idea, args=(idea,), type="tertiary",
            icon=":material/arrow_forward:",
        )  # fmt: skip


def open_idea(idea: Idea) -> None:
    """Make the idea's model the current one and open its page."""
    link.apply({"model": idea.model, **idea.parameters})
    navigation.open_page(idea.page)

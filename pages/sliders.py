"""Sliders: the live panel, and a traversal of each dimension from the current latent code."""

import numpy as np
import streamlit as st

from pages.components.bridge import first_picture
from pages.components.live_panel.panel import live_panel
from pages.components.live_panel.python_code import python_code
from pages.components.shell import cached, link, settings, state
from pages.components.shell.glossary import explain
from pages.components.shell.model_picker import model_picker
from pages.components.widgets import exports
from pages.components.widgets.bars import kl_bars
from pages.components.widgets.image_input import image_input, set_z_from
from pages.components.widgets.picture_grid import picture_grid

PLACE = 30  # order in the navigation
GROUP = "Explore"
SETTINGS = {"sliders_start": ("int", 0, 9999)}
PARTS = {
    "picture": "live_panel .stage", "sliders": "live_panel .sliders", "plane": "live_panel .plane",
    "panel": "live_panel", "classes": "sliders_classes", "traversals": "sliders_strips", "kl": "sliders_kl",
}  # fmt: skip

st.title("Sliders")
model, card = state.traits(), state.card()
head = st.container(horizontal=True, vertical_alignment="center")
head.markdown(
    explain(
        "**Pick positions** on the image, then set their codebook vectors or sample them again." if model.discrete
        else "**Drag a slider**, or move in the square: the image follows."
        + (" Sliders with the highest KL come first." if model.analytic_kl and "kl_per_dim" in card.figures else "")
    ),
    width="content",
)  # fmt: skip


# Encode the image that the visitor chooses.
start = head.popover("Start from an image", key="sliders_image", on_change="rerun")
model_picker()
if start.open or settings.is_pending("sliders_start"):
    with start:
        image_input("sliders_start", name="image to start from", on_change=set_z_from)


def show_exports() -> None:
    with st.expander("This image in Python"):
        st.code(python_code(), wrap_lines=True)
    with st.container(horizontal=True):
        exports.download_picture("sliders_picture")
        exports.download_z("sliders_z")


if model.discrete:
    from pages.components.live_panel.code_grid import code_grid  # it computes with torch throughout

    code_grid()
    show_exports()
    link.end_page()
live_panel()

first_picture.wait()
# The rest computes with torch, which the first visit of a server loads while the browser shows the panel.
import torch

from pages.components.sliders.traversals import traversals
from vae import objectives

if model.num_classes:
    st.header("This z in every class")
    classes = state.info().classes
    all_classes = torch.arange(model.num_classes)
    picture_grid(
        state.decode(state.z().repeat(len(all_classes), 1), all_classes), [f"class {name}" for name in classes],
        key="sliders_classes", on_pick=lambda index: state.set_y(index), size=64,
        selected=st.session_state.y, name="this z in every class",
    )  # fmt: skip
    st.caption(
        "p(x | z, y) for one z and every class y. z encodes the style, which all these images share. Pick an image to "
        "use its class."
    )

directions = cached.attribute_directions(card.name)
if directions:
    agreement = "; ".join(
        f"{attribute} {direction.agreement:.2f} ({direction.random_agreement:.2f})"
        for attribute, direction in directions.items()
    )
    figures = card.figures
    flips, unmoved_errors = figures.get("attribute_flips"), figures.get("attribute_unmoved")
    flip_note = flips and (
        f"{figures['attribute_steps']:g} steps change the attribute on at least {100 * min(flips.values()):.0f} % of "
        f"test faces, according to a classifier. Without a step, the reconstruction alone changes it on at most "
        f"{100 * max(unmoved_errors.values()):.0f} %."
    )
    st.caption(
        explain(
            "**Attributes.** A step adds (+) or subtracts (−) the attribute direction: the mean code of images with "
            "the attribute minus that of images without it. A direction is an average, so it may do little for rare "
            f"combinations. {flip_note or ''}\n\n"
            "Agreement: the mean cosine between the code differences of single pairs of images, and in brackets that "
            f"of random groups of images.\n\n{agreement}"
        )
    )

traversals()


def kl_of_this_image() -> np.ndarray | None:
    """Encode the current image again and return the KL (D,) of its posterior; None if a value is not finite."""
    image = state.decode(state.z()[None])
    if not state.finite(image):
        return None
    with torch.no_grad():
        output = state.model()(image, state.y(), generator=torch.Generator().manual_seed(state.seed()))
        bars = objectives.elbo(output, image).kl_per_dim[0].numpy()
    return bars if state.finite(bars) else None


kl = card.figures.get("kl_per_dim")
if kl:
    st.header("KL of the current image")
    order = cached.dimension_order(card.name)
    bars = kl_of_this_image()
    if bars is None:
        st.warning(state.not_finite_message("for this image"))
    else:
        kl_bars(bars, np.asarray(kl), order, [state.dim_name(d) for d in order], key="sliders_kl")
        st.caption(
            explain(
                f"The current image, encoded again: KL(q(z|x) || p(z)) = {bars.sum():.1f} nats in total."
                + (
                    f" The KL of the bottom level is for one sample of the top level, seed {state.seed()}."
                    if model.levels
                    else ""
                )
            )
        )
elif model.has_elbo and not model.analytic_kl:
    st.caption(
        explain(
            "This model's KL is estimated from samples and cannot be split by dimension. The sliders are sorted by "
            "the spread of the codes relative to the width of their posteriors."
        )
    )
show_exports()

"""Interpolate: between two images in latent space, compared with a cross-fade of their pixels."""

import numpy as np
import streamlit as st
import torch

from pages.components.shell import cached, link, settings, state
from pages.components.shell.glossary import explain
from pages.components.shell.model_picker import class_picker, model_picker
from pages.components.widgets import charts, exports
from pages.components.widgets.image_input import image_input
from pages.components.widgets.picture_grid import picture_grid
from vae import latent
from vae.data import pictures

PLACE = 40  # order in the navigation
GROUP = "Explore"

LINES = {
    "Straight (lerp)": (latent.lerp, "z(t) = (1 - t) a + t b"),
    "Great arc (slerp)": (latent.slerp, "the direction turns along a great arc, and the length changes linearly"),
}
STEPS = (3, 15)
SWAP = {"Position by position": (latent.swap, "row by row, B's vectors replace A's")}
SETTINGS = {
    "interpolate_A": ("int", 0, 9999), "interpolate_B": ("int", 0, 9999), "interpolate_line": ("choice", *LINES),
    "interpolate_steps": ("int", *STEPS), "interpolate_beyond": ("bool",),
}  # fmt: skip
PARTS = {"path": "interpolate_frames", "cross_fade": "interpolate_fade", "support": "interpolate_support"}

st.title("Interpolate")
st.markdown("**Choose two images** below, or bring your own. The model turns one into the other.")
model_picker()
model = state.model()
info = state.info()

# The path comes first on the page, and is made of what is chosen below it.
path = st.container()
controls = st.container(horizontal=True, vertical_alignment="bottom")
lines = SWAP if model.discrete else LINES
settings.take("interpolate_line", f"interpolate_line_{len(lines)}", among=lines)
line_name = controls.segmented_control(
    "Path",
    lines,
    default=next(iter(lines)),
    required=True,
    key=f"interpolate_line_{len(lines)}",
    persist_state="session",
)
settings.take("interpolate_steps")
steps = controls.slider("Steps", *STEPS, 9, key="interpolate_steps", persist_state="session", width=200)
settings.take("interpolate_beyond")
extrapolate = controls.toggle(
    "Go beyond both ends", key="interpolate_beyond", persist_state="session", disabled=lines is SWAP
)
class_picker()
ends = []
for column, name, row in zip(st.columns(2, gap="large"), "AB", (None, 2), strict=False):
    with column.container(border=True):
        ends.append(image_input(f"interpolate_{name}", start_row=row, name=f"image {name}"))

a, b = (end.encode() for end in ends)
unusable = [name for name, code in zip("AB", (a, b), strict=False) if not state.finite(code)]
if unusable:
    path.warning(state.not_finite_message(f"for image {' and image '.join(unusable)}"))
    link.end_page()
margin = 0.25 if extrapolate and lines is not SWAP else 0.0
t = torch.linspace(-margin, 1 + margin, steps)
line, formula = lines[line_name]
zs = line(a, b, t)
frames = state.decode(zs)
fade = latent.lerp(ends[0].x.flatten(), ends[1].x.flatten(), t).clamp(0, 1).view_as(frames)

encoded = cached.model_map(model.card.name)
support = None
if encoded is not None:
    support = latent.support(
        state.features(zs), cached.features(model.card.name), cached.local_distances(model.card.name)
    )
names = [f"step {i + 1}: t = {value:.2f}" for i, value in enumerate(t.tolist())]
with path:
    picture_grid(
        frames, names, key="interpolate_frames", on_pick=lambda index: state.set_z(zs[index]),
        columns=steps, size=150, wrap=True, name="interpolation in latent space",
        captions=[f"{v:.2f}" for v in support] if support is not None else None,
    )  # fmt: skip
    st.caption(
        explain(
            f"Decoded from latent space: {formula}. "
            + ("The number below a step is its support. " if support is not None else "")
            + (
                f"Every step is of class {info.classes[st.session_state.y]}; only z changes. "
                if model.num_classes
                else ""
            )
            + (
                "These codes are indices of codebook vectors, and nothing lies between two indices. "
                if lines is SWAP
                else ""
            )
            + "Pick a step to use its z."
        )
    )
    picture_grid(
        fade, [f"cross-fade, {name}" for name in names], key="interpolate_fade", columns=steps,
        size=150, wrap=True, name="cross-fade of the pixels",
    )  # fmt: skip
    st.caption("Baseline: a cross-fade of the same two images, pixel by pixel, without a model.")

# now, because the session is not available when a file is made
strip, pixels, credit = state.as_pictures(torch.cat([frames, fade])), state.as_pictures(frames), exports.credit()
with st.container(horizontal=True):
    exports.download(
        "Animation (GIF)", lambda: exports.gif(pixels, credit, scale=8 if info.crisp else 4),
        f"{model.card.name}-interpolation.gif", "image/gif", key="interpolate_gif", primary=True,
    )  # fmt: skip
    exports.download(
        "Images (PNG)",
        lambda: exports.png(pictures.to_image(pictures.tile(strip, steps, gap=1), 2), credit),
        f"{model.card.name}-interpolation.png", "image/png", key="interpolate_png",
    )  # fmt: skip

if support is not None:
    st.plotly_chart(
        charts.support_line(t.numpy(), np.asarray(support)), key="interpolate_support",
        config=charts.CONFIG, alt="support of each step",
    )  # fmt: skip
    st.caption(
        explain(
            "Take the distance from a code to its 15th nearest test code. Support is the share of the "
            f"{len(encoded.codes):,} encoded test images for which that distance is at least as large. Near 0, no "
            "data lies nearby and the decoder extrapolates."
        )
    )

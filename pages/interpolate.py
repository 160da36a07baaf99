"""Interpolate: between two images in latent space, compared with a cross-fade of their pixels."""

import numpy as np
import streamlit as st
import torch

from pages.components.shell import cached, link, pictures, settings, state
from pages.components.shell.model_picker import class_picker, model_picker
from pages.components.widgets import charts, exports
from pages.components.widgets.image_input import image_input
from pages.components.widgets.picture_grid import picture_grid
from vae import latent

PLACE = 40  # order in the navigation
GROUP = "Explore"

LINES = {
    "Straight (lerp)": (latent.lerp, "z(t) = (1 - t) a + t b"),
    "Great arc (slerp)": (latent.slerp, "directions along the arc, lengths linearly"),
}
STEPS = (3, 15)
SWAP = {"Place by place": (latent.swap, "row by row, the places of A's grid become those of B's")}
SETTINGS = {
    "interpolate_A": ("int", 0, 9999), "interpolate_B": ("int", 0, 9999), "interpolate_line": ("choice", *LINES),
    "interpolate_steps": ("int", *STEPS), "interpolate_beyond": ("bool",),
}  # fmt: skip

st.title("Interpolate")
st.markdown("**Choose two images**, your own if you like, and walk from one to the other.")
model_picker()
model = state.model()
info = state.info()

ends = []
for column, name, row in zip(st.columns(2, gap="large"), "AB", (0, 2), strict=False):
    with column.container(border=True):
        ends.append(image_input(f"interpolate_{name}", start_row=row, name=f"image {name}"))
controls = st.container(horizontal=True, vertical_alignment="bottom")
lines = SWAP if model.discrete else LINES
settings.take("interpolate_line", f"interpolate_line_{len(lines)}", among=lines)
line_name = controls.segmented_control(
    "Line",
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
    "A little beyond both ends", key="interpolate_beyond", persist_state="session", disabled=lines is SWAP
)
class_picker()

a, b = (state.encode(end.x, end.y)[0] for end in ends)
unusable = [name for name, code in zip("AB", (a, b), strict=False) if not state.finite(code)]
if unusable:
    st.warning(state.not_finite_message(f"for image {' and image '.join(unusable)}"))
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
picture_grid(
    frames, names, key="interpolate_frames", on_pick=lambda index: state.set_z(zs[index]),
    columns=steps, size=150, name="interpolation in latent space",
    captions=[f"{v:.2f}" for v in support] if support is not None else None,
)  # fmt: skip
st.caption(
    f"Decoded from latent space: {formula}. "
    + ("Under each step: its support. " if support is not None else "")
    + (f"All steps as class {info.classes[st.session_state.y]}: only the style travels. " if model.num_classes else "")
    + ("Its numbers are names of vectors, and nothing lies between two names. " if lines is SWAP else "")
    + "Click a step to make it the current point."
)
picture_grid(
    fade, [f"cross-fade, {name}" for name in names], key="interpolate_fade", columns=steps,
    size=150, name="cross-fade of the pixels",
)  # fmt: skip
st.caption("The control: the same two images faded pixel by pixel. No model is at work here.")

# now, because the session is not available when a file is made
strip, pixels = (state.as_pictures(x) for x in (torch.cat([frames, fade]), frames))
with st.container(horizontal=True):
    exports.download(
        "Animation (GIF)", lambda: exports.gif(pixels, scale=8 if info.crisp else 4),
        f"{model.card.name}-interpolation.gif", "image/gif", key="interpolate_gif", primary=True,
    )  # fmt: skip
    exports.download(
        "Strip (PNG)",
        lambda: pictures.png(pictures.to_image(pictures.tile(strip, steps, gap=1), 2)),
        f"{model.card.name}-interpolation.png", "image/png", key="interpolate_png",
    )  # fmt: skip

if support is not None:
    st.plotly_chart(
        charts.support_line(t.numpy(), np.asarray(support)), key="interpolate_support",
        config=charts.CONFIG, alt="support of each step",
    )  # fmt: skip
    st.caption(
        f"Support: the share of {len(encoded.codes):,} held-out images that lie in places as sparse "
        "as this step's or sparser, by the distance to the 15th nearest code. Near 0 the decoder "
        "is asked about a place where no data lives."
    )

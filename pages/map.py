"""Map: where thousands of held-out images lie; every point is a code."""

import numpy as np
import streamlit as st

from pages.components import cached, figures, state
from pages.components.image_input import image_input
from pages.components.model_picker import model_picker
from pages.components.picture_grid import picture_grid
from pages.components.point import code_of_row, current_picture, nearest_real
from vae import maps

CHART = "map_chart"

st.title("Map")
st.markdown("**Click a point** to make that image the current point; scroll to zoom, drag to move.")
model_picker()
model = state.model()
info = cached.info(model.card.data)
found = cached.model_map(model.card.name)
if found is None:
    st.info(
        f"This model has no map yet: `python -m vae map {model.card.name}` makes one. "
        "The current point is here all the same."
    )
    current_picture()
else:
    labels = cached.gallery(info.name).labels[found.rows]
    layouts = {"UMAP": found.umap, "PCA": found.pca}
    if model.latent_dim == 2:
        layouts = {"Latent plane": found.codes, **layouts}
    # the numbers of a codebook's vectors are names: there is no more or less of them
    order = [] if model.latent_kind == "codes" else cached.dimension_order(model.card.name)
    colourings = ["class", "reconstruction error", *(f"z{d}" for d in order)]

    controls = st.columns([2, 2, 2], vertical_alignment="bottom")
    layout = controls[0].segmented_control(
        "Map", layouts, default=next(iter(layouts)), required=True, key=f"map_kind_{len(layouts)}"
    )
    colouring = controls[1].selectbox("Colour by", colourings, key=f"map_colour_{len(order)}")
    with controls[2].popover("Place an image on the map"):
        uploaded = image_input("map_image")
        placing = st.toggle("Show it", key="map_placing")

    xy = layouts[layout]
    values = None
    if colouring == "reconstruction error":
        values = found.recon
    elif colouring != "class":
        values = found.codes[:, int(colouring[1:])]

    def on_map(z):
        """Where a code (D,) lies on this map; on the latent plane exactly."""
        z = z[None]
        if layout == "Latent plane":
            return z.numpy()[0]
        return maps.place(state.features(z), cached.features(model.card.name), xy)[0]

    def pick() -> None:
        points = st.session_state[CHART].selection.points
        rows = [p["customdata"] for p in points if p.get("customdata") is not None]
        row = rows[0][0] if rows and isinstance(rows[0], list) else rows[0] if rows else None
        if isinstance(row, int) and 0 <= row < len(found.rows):
            test_row = int(found.rows[row])
            state.set_z(code_of_row(test_row), y=int(labels[row]))
            st.session_state.map_row = (model.card.data, test_row)

    left, right = st.columns([3, 1], gap="large")
    code = state.encode(uploaded.x, uploaded.y)[0] if placing else None
    with left:
        st.plotly_chart(
            figures.scatter_map(
                xy, labels, info.classes, values, colouring, signed=colouring.startswith("z"),
                to_scale=layout != "UMAP", current=on_map(state.z()), uploaded=None if code is None else on_map(code),
            ),
            key=CHART, on_select=pick, selection_mode="points", config=figures.CONFIG,
            alt=f"{layout} of {len(xy):,} held-out images",
        )  # fmt: skip
        described = model.card.map
        text = f"{len(xy):,} held-out images of {info.title}, each at its {model.centre_name.rstrip(',')}."
        if layout != "Latent plane" and described:
            trust = described["trustworthiness"][layout.lower()]
            text += f" Trustworthiness {trust:.3f} of 1."
        if layout == "UMAP" and described:
            text += (
                f" UMAP with {described['n_neighbors']} neighbours, minimal distance "
                f"{described['min_dist']}, seed {described['seed']}: distances on it are not "
                "distances in latent space. The rings are placed by their nearest codes."
            )
        if model.card.figures.get("active_units") == 0:
            text += (
                " No dimension is active: the codes' largest standard deviation is "
                f"{found.codes.std(0).max():.1g} where the prior's is 1, and the map enlarges "
                "what the decoder cannot see."
            )
        if colouring == "reconstruction error":
            text += " Colour: -log p(x | z = posterior mean) in nats."
        st.caption(text)
    with right:
        current_picture()
        data, row = st.session_state.get("map_row", (None, 0))
        if data == model.card.data and np.allclose(
            code_of_row(row).numpy(), st.session_state.z, atol=1e-3
        ):
            picture_grid(
                cached.gallery(data).batch([row])[0], [f"held-out image {row}"],
                key="map_original", columns=1, size=150, captions=["the image itself"],
            )  # fmt: skip
        if placing:
            st.button(
                "Make your image the current point", type="primary",
                on_click=lambda: state.set_z(
                    code, y=None if uploaded.y is None else int(uploaded.y[0])
                ),
            )  # fmt: skip
        nearest_real("map_nearest", columns=4)

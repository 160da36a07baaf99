"""Map: encoded test images or your own in two dimensions; every position decodes to an image."""

from pathlib import Path

import numpy as np
import streamlit as st

from pages.components.bridge import first_picture
from pages.components.shell import cached, link, settings, state
from pages.components.shell.glossary import explain
from pages.components.shell.model_picker import model_picker
from pages.components.widgets.point import go_to, go_to_position, show_current_picture, show_nearest_images
from vae.encoded import FITTED_MAPS

PLACE = 50  # order in the navigation
GROUP = "Explore"
STYLE = Path(__file__).parent / "components/map/style.css"
SETTINGS = {"map_kind": ("text",), "map_colour": ("text",)}
PARTS = {
    "map": "scatter .stage", "controls": "map_controls", "picture": "map_point", "nearest": "map_nearest",
    "path": "map_path_frames",
}  # fmt: skip

st.title("Map")
st.markdown(
    "**Tap or click the map** to see what a position decodes to, and to use its code. Select images with a lasso, or "
    "draw a path to walk."
)
model_picker()
model, name = state.traits(), state.card().name
st.html(STYLE)
with st.container(key="map_board"):
    controls = st.container(horizontal=True, vertical_alignment="bottom", key="map_controls")
    # Keep this container on every run: an element that appears or vanishes above the map makes Streamlit remount it.
    status = st.container()
    left, right = st.columns([3, 1], gap="large")
with right:
    show_current_picture("map_point")

first_picture.wait()
# The rest computes with torch, which the first visit of a server loads while the browser shows the picture.
from pages.components.map import caption, path, selection, uploads
from pages.components.map.path import current_path
from pages.components.map.scatter import scatter
from pages.components.map.selection import selected_indices
from pages.components.widgets import collection
from pages.components.widgets.picture_grid import picture_grid

shown = uploads.own_collection() or collection.from_test_images(name)
if shown is None:
    with left:
        st.info(
            f"This model has no map yet. To fit one, run `python -m vae map {name}`."
        )
        uploads.show_status()
    link.end_page()

kinds = FITTED_MAPS
if not model.discrete:  # codebook indices have no order, so they span no plane
    kinds = (
        {"dims": "Latent plane", **FITTED_MAPS} if model.latent_dim == 2
        else {**FITTED_MAPS, "dims": "Two dimensions"}
    )  # fmt: skip
names = {d: state.dim_name(d) for d in range(model.latent_dim)}
order = [] if model.discrete else cached.dimension_order(name)
kind_key = f"map_kind_{next(iter(kinds))}_{len(kinds)}"
settings.take("map_kind", kind_key, among=kinds, labels=kinds)
kind = controls.segmented_control(
    "Map", kinds, format_func=lambda key: kinds[key], default=next(iter(kinds)), required=True,
    key=kind_key, persist_state="session", label_visibility="collapsed",
)  # fmt: skip
dims = (0, 1)
if kind == "dims" and model.latent_dim > 2:
    across = controls.selectbox("Across", order, format_func=lambda d: names[d], key=f"map_across_{name}", width=100)
    others = [d for d in order if d != across]
    up = controls.selectbox("Up", others, format_func=lambda d: names[d], key=f"map_up_{name}", width=100)
    dims = (across, up)
colours = ["class", "reconstruction error", *(f"z{d}" for d in order)]
settings.take("map_colour", f"map_colour_{len(order)}", among=colours)
colour_by = controls.selectbox(
    "Colour by", colours,
    format_func=lambda text: f"Colour: {names[int(text[1:])] if text.startswith('z') else text}",
    key=f"map_colour_{len(order)}", persist_state="session", width=250, label_visibility="collapsed",
)  # fmt: skip
with controls:
    uploads.menu()
with status:
    uploads.show_status()
layout = collection.make_layout(shown, kind, kinds[kind], dims)


def pick(index: int | None, position: np.ndarray | None) -> None:
    if index is not None:
        go_to(shown, index)
    else:
        go_to_position(layout, shown, position)


here = layout.transform(state.z()[None], shown)[0]  # (2,)
with right:
    picked, index = st.session_state.get("map_row", (None, 0))
    if picked == shown.id and np.allclose(shown.encoded.codes[index], st.session_state.z, atol=1e-3):
        picture_grid(
            shown.images(np.array([index])), [shown.name(index)], key="map_original", columns=1, size=150,
            captions=["the test image" if shown.names is None else "your image"],
        )  # fmt: skip
    neighbours = show_nearest_images(shown, layout, here, "map_nearest")
with left:
    scatter(
        shown, layout, colour_by, pick, selection.selection_handler(shown), path.path_handler(shown, layout),
        current=here, neighbours=neighbours, selected=selected_indices(shown), path=current_path(shown, layout),
        marks=uploads.marks(shown, layout),
    )  # fmt: skip
    st.caption(explain(caption.caption(shown, layout, colour_by, len(neighbours))))

uploads.show_placed(shown)
path.show_path(shown, layout)
selection.show_selection(shown)

"""Map: walk through encoded data; every place is an image, seen or imagined."""

import numpy as np
import streamlit as st

from pages.components import cached, collection, map_path, map_selection, map_uploads, state
from pages.components.map_path import path_on
from pages.components.map_selection import chosen_of
from pages.components.model_picker import model_picker
from pages.components.picture_grid import picture_grid
from pages.components.point import current_picture, go_to, near_here
from pages.components.scatter import scatter

st.title("Map")
st.markdown(
    "**Move over the map** to see what lies there, **click** to take it along, draw a **lasso** "
    "round images or a **path** to walk; scroll or pinch to zoom."
)
model_picker()
model = state.model()
name = model.card.name
shown = map_uploads.own_collection() or collection.held_out(name)
if shown is None:
    st.info(
        f"This model has no map yet: `python -m vae map {name}` makes one. "
        "The current point is here all the same."
    )
    current_picture()
    state.end_page()

seeds = shown.described.get("seed", 0), shown.described.get("seed_again", 1)
kinds = {"umap": "UMAP", "umap_again": "UMAP, another seed", "pca": "PCA"}
if model.latent_kind != "codes":  # the numbers of a codebook's vectors are names: nothing is more or less
    kinds = {"dims": "Latent plane", **kinds} if model.latent_dim == 2 else {**kinds, "dims": "Two dimensions"}
order = [] if model.latent_kind == "codes" else cached.dimension_order(name)

controls = st.columns([5, 1, 1, 2, 2], vertical_alignment="bottom")
kind = controls[0].segmented_control(
    "Map", kinds, format_func=kinds.get, default=next(iter(kinds)), required=True,
    key=f"map_kind_{next(iter(kinds))}_{len(kinds)}",
)  # fmt: skip
dims = (0, 1)
if kind == "dims" and model.latent_dim > 2:
    dims = tuple(
        controls[1 + i].selectbox(
            label, order, index=min(i, len(order) - 1), format_func=state.dim_name, key=f"map_dim_{i}_{name}"
        )
        for i, label in enumerate(("Across", "Up"))
    )
colour_by = controls[3].selectbox(
    "Colour by", ["class", "reconstruction error", *(f"z{d}" for d in order)],
    format_func=lambda text: state.dim_name(int(text[1:])) if text.startswith("z") else text,
    key=f"map_colour_{len(order)}",
)  # fmt: skip
with controls[4]:
    map_uploads.menu()
map_uploads.told()
layout = collection.layout(shown, kind, kinds[kind], dims)


def pick(index: int | None, place: np.ndarray | None) -> None:
    if index is not None:
        go_to(shown, index)
    else:
        state.set_z(layout.imagine(place[None], shown)[0])


left, right = st.columns([3, 1], gap="large")
with right:
    current_picture()
    picked, index = st.session_state.get("map_row", (None, 0))
    if picked == shown.id and np.allclose(shown.codes[index], st.session_state.z, atol=1e-3):
        picture_grid(
            shown.images(np.array([index])), [shown.name(index)], key="map_original", columns=1, size=150,
            captions=["the image itself"],
        )  # fmt: skip
    near = near_here(shown, layout, "map_nearest")
with left:
    scatter(
        shown, layout, colour_by, pick, map_selection.choose(shown), map_path.walk(shown, layout),
        near=near, chosen=chosen_of(shown), path=path_on(shown, layout),
        marks=map_uploads.marks(shown, layout),
    )  # fmt: skip
    trust = shown.described.get("trustworthiness", {}).get(kind)
    text = f"{shown.title}, each at its {model.centre_name}."
    if trust is not None:
        text += f" Trustworthiness {trust:.3f} of 1 (15 neighbours)."
    if kind.startswith("umap"):
        text += (
            f" UMAP with {shown.described['n_neighbors']} neighbours, minimal distance "
            f"{shown.described['min_dist']}, seed {seeds[kind == 'umap_again']}: distances on it are not "
            "distances in latent space."
        )
        if kind == "umap_again":
            text += f" The second run, turned to lie as that of seed {seeds[0]} does: what has changed places is chance."
    if layout.neighbours > 1:
        text += f" A place between points is imagined: the mean of the {layout.neighbours} nearest points' codes, by 1/distance²."
    elif layout.neighbours == 1:
        text += " A place between points shows its nearest point: between the numbers of vectors nothing lies."
    elif model.latent_dim > 2:
        text += {
            "pca": " A place is the plane's own point: the mean code, moved along two directions alone.",
            "dims": " A place is the current point with these two dimensions changed.",
        }[kind]
    else:
        text += " Each place is a code of its own." if kind == "dims" else ""
    if model.card.figures.get("active_units") == 0:
        text += (
            " No dimension is active: the codes' largest standard deviation is "
            f"{shown.codes.std(0).max():.1g} where the prior's is 1, and the map enlarges "
            "what the decoder cannot see."
        )
    if colour_by == "reconstruction error":
        text += " Colour: -log p(x | z = posterior mean) in nats."
    text += f" Lines lead to the {len(near)} images beside the current point."
    st.caption(text)

map_uploads.placed(shown)
map_path.show(shown, layout)
map_selection.show(shown)

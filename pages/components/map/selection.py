"""What a lasso on the map has caught: counts, mean code, direction, images, rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import numpy as np
import streamlit as st
import torch

from vae import latent

from ..shell import state
from ..widgets import charts, exports
from ..widgets.collection import Collection
from ..widgets.picture_grid import picture_grid
from ..widgets.point import go_to

SHOWN = 24  # images at a time
STEPS = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0, 1.5])  # along a direction
SORTINGS = ("nearest to the mean", "reconstruction error, highest first", "class", "as they come")


def chosen_of(collection: Collection) -> np.ndarray:
    """Indices of what is chosen in this collection, (0,) for nothing."""
    kept, indices = st.session_state.get("map_chosen", (None, None))
    return indices if kept == collection.id else np.empty(0, int)


def choose(collection: Collection) -> Callable[[np.ndarray], None]:
    """What a lasso calls: it keeps the indices, and their mean code becomes the current point."""

    def chosen(indices: np.ndarray) -> None:
        st.session_state.map_chosen = (collection.id, indices)
        if len(indices):
            st.session_state.pop("map_selection_page", None)
            index = _most_typical(collection, indices)
            state.set_z(_mean(collection, indices), y=int(collection.ys[index]))

    return chosen


def _mean(collection: Collection, indices: np.ndarray) -> torch.Tensor:
    """The mean code (D,); of numbers of vectors, which have none, the code nearest to the mean of
    what they name."""
    if state.model().discrete:
        return torch.from_numpy(collection.codes[_most_typical(collection, indices)])
    return torch.from_numpy(collection.codes[indices]).mean(0)


def _distances(collection: Collection, indices: np.ndarray) -> np.ndarray:
    features = collection.features[indices]
    return np.linalg.norm(features - features.mean(0), axis=1)


def _most_typical(collection: Collection, indices: np.ndarray) -> int:
    return int(indices[_distances(collection, indices).argmin()])


def show(collection: Collection) -> None:
    """Everything about the chosen images; nothing where nothing is chosen."""
    indices = chosen_of(collection)
    if not len(indices):
        return
    st.divider()
    heading = st.columns([3, 2], vertical_alignment="bottom")
    heading[0].subheader(f"Chosen: {len(indices):,} of {len(collection):,} images")
    with heading[1].container(horizontal=True, horizontal_alignment="right"):
        what = "most typical image" if state.model().discrete else "mean"
        st.button(
            f"Go to their {what}", key="map_selection_mean",
            on_click=lambda: state.set_z(
                _mean(collection, indices), y=int(collection.ys[_most_typical(collection, indices)])
            ),
        )  # fmt: skip
        exports.download(
            "Rows (CSV)", lambda: _table(collection, indices), f"{state.card().name}-chosen.csv",
            "text/csv", key="map_selection_csv",
        )  # fmt: skip
        st.button("Clear", key="map_selection_clear", on_click=lambda: choose(collection)(np.empty(0, int)))
    left, right = st.columns(2, gap="large")
    with left:
        _counts(collection, indices)
        _direction(collection, indices)
    with right:
        _images(collection, indices)


def _counts(collection: Collection, indices: np.ndarray) -> None:
    if len(collection.classes) < 2:
        return
    counts = np.bincount(collection.labels[indices], minlength=len(collection.classes))
    all_counts = np.bincount(collection.labels, minlength=len(collection.classes))
    present = np.flatnonzero(counts)[np.argsort(-counts[counts > 0], kind="stable")][:12]
    st.plotly_chart(
        charts.class_counts([collection.classes[label] for label in present], counts[present], all_counts[present]),
        key="map_selection_counts", config=charts.CONFIG, alt="chosen images by class",
    )  # fmt: skip


def _direction(collection: Collection, indices: np.ndarray) -> None:
    """From the rest to the chosen, with how far single pairs agree, laid on the current point."""
    if state.model().discrete:
        st.caption("No direction leads to them: the numbers of vectors are names, and cannot be added.")
        return
    if len(indices) == len(collection):
        st.caption("All images are chosen: there is no rest that a direction could lead from.")
        return
    inside = torch.zeros(len(collection), dtype=torch.bool)
    inside[torch.from_numpy(indices)] = True
    found = latent.attribute_direction(torch.from_numpy(collection.codes), inside)
    zs = state.z() + STEPS[:, None] * found.vector
    picture_grid(
        state.decode(zs), [f"{t:+g} times the direction" for t in STEPS.tolist()], key="map_selection_walk",
        on_pick=lambda index: state.set_z(zs[index]), columns=len(STEPS), size=110,
        captions=[f"{t:+g}" for t in STEPS.tolist()], selected=2, name="the direction from the current point",
    )  # fmt: skip
    st.caption(
        "The current point, moved along the direction from the rest to the chosen (mean code of "
        "these minus mean code of the others). Differences between single pairs agree with each other by "
        f"{found.agreement:.3f} (mean cosine), those of random pairs by {found.random_agreement:.3f}: "
        "near the random figure, what was chosen is no direction."
    )


def _images(collection: Collection, indices: np.ndarray) -> None:
    sorting = st.selectbox("Sort", SORTINGS, key="map_selection_sort")
    by = {
        SORTINGS[0]: _distances(collection, indices), SORTINGS[1]: -collection.recon[indices],
        SORTINGS[2]: collection.labels[indices], SORTINGS[3]: indices,
    }[sorting]  # fmt: skip
    ordered = indices[np.argsort(by, kind="stable")]
    page = st.session_state.get("map_selection_page", 0) % -(-len(ordered) // SHOWN)
    part = ordered[page * SHOWN : (page + 1) * SHOWN]
    names = [f"{collection.classes[collection.labels[i]]}, {collection.name(i)}" for i in part]
    picture_grid(
        collection.images(part), names, key="map_selection_images",
        on_pick=lambda place: go_to(collection, int(part[place])), columns=8, size=72,
        name="chosen images",
    )  # fmt: skip
    if len(ordered) > SHOWN:
        st.button(
            f"Others ({page * SHOWN + 1:,} to {page * SHOWN + len(part):,} of {len(ordered):,})",
            key="map_selection_more", on_click=_turn, args=(page + 1,),
        )  # fmt: skip


def _turn(page: int) -> None:
    st.session_state.map_selection_page = page


def _table(collection: Collection, indices: np.ndarray) -> bytes:
    """A row for each chosen image: what it is, its error, its places and its code."""
    text = io.StringIO()
    writer = csv.writer(text)
    places = [f"{key}_{axis}" for key in collection.fitted for axis in "xy"]
    header = ["image", "class", "reconstruction_nats", *places]
    writer.writerow([*header, *(f"z{d}" for d in range(collection.codes.shape[1]))])
    for i in indices:
        xy = [f"{value:.6g}" for layout in collection.fitted.values() for value in layout[i]]
        code = [f"{value:.6g}" for value in collection.codes[i]]
        name = collection.name(i) if collection.rows is None else collection.rows[i]
        words = [exports.escape_cell(str(w)) for w in (name, collection.classes[collection.labels[i]])]
        writer.writerow([*words, f"{collection.recon[i]:.4f}", *xy, *code])
    return text.getvalue().encode()

"""The images selected by a lasso on the map: class counts, mean code, direction, images, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import numpy as np
import streamlit as st
import torch

from vae import latent

from ..shell import state
from ..shell.glossary import explain
from ..widgets import charts, exports
from ..widgets.collection import Collection
from ..widgets.picture_grid import picture_grid
from ..widgets.point import go_to

SHOWN = 24  # images at once
STEPS = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0, 1.5])  # along a direction
SORT_ORDERS = ("nearest to the mean", "reconstruction error, highest first", "class", "order of the data")


def selected_indices(collection: Collection) -> np.ndarray:
    """Return the indices selected in this collection; (0,) if there are none."""
    kept, indices = st.session_state.get("map_chosen", (None, None))
    return indices if kept == collection.id else np.empty(0, int)


def selection_handler(collection: Collection) -> Callable[[np.ndarray], None]:
    """Return a callback that keeps the indices of a lasso and makes their mean code the current z."""

    def on_lasso(indices: np.ndarray) -> None:
        st.session_state.map_chosen = (collection.id, indices)
        if len(indices):
            st.session_state.pop("map_selection_page", None)
            index = _most_typical(collection, indices)
            state.set_z(_mean(collection, indices), y=int(collection.ys[index]))

    return on_lasso


def _mean(collection: Collection, indices: np.ndarray) -> torch.Tensor:
    """Return the mean code (D,). Codebook indices have no mean: return the code whose features are nearest to the mean
    features."""
    if state.model().discrete:
        return torch.from_numpy(collection.encoded.codes[_most_typical(collection, indices)])
    return torch.from_numpy(collection.encoded.codes[indices]).mean(0)


def _distances(collection: Collection, indices: np.ndarray) -> np.ndarray:
    features = collection.features[indices]
    return np.linalg.norm(features - features.mean(0), axis=1)


def _most_typical(collection: Collection, indices: np.ndarray) -> int:
    return int(indices[_distances(collection, indices).argmin()])


def show_selection(collection: Collection) -> None:
    """Show the section on the selected images; nothing if none are selected."""
    indices = selected_indices(collection)
    if not len(indices):
        return
    st.divider()
    heading = st.columns([3, 2], vertical_alignment="bottom")
    heading[0].header(f"Selected: {len(indices):,} of {len(collection):,} images")
    with heading[1].container(horizontal=True, horizontal_alignment="right"):
        what = "most typical code" if state.model().discrete else "mean code"
        st.button(
            f"Use their {what}", key="map_selection_mean",
            on_click=lambda: state.set_z(
                _mean(collection, indices), y=int(collection.ys[_most_typical(collection, indices)])
            ),
        )  # fmt: skip
        exports.download(
            "Data (CSV)", lambda: _csv(collection, indices), f"{state.card().name}-selected.csv",
            "text/csv", key="map_selection_csv",
        )  # fmt: skip
        st.button("Clear", key="map_selection_clear", on_click=lambda: selection_handler(collection)(np.empty(0, int)))
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
        key="map_selection_counts", config=charts.CONFIG, alt="selected images by class",
    )  # fmt: skip


def _first_group(collection: Collection) -> np.ndarray | None:
    """Return the indices of the group that was kept to be compared with; None for none."""
    kept, group = st.session_state.get("map_group", (None, None))
    return group if kept == collection.id else None


def _keep_group(collection: str, group: np.ndarray | None) -> None:
    st.session_state.map_group = (collection, group)


def _direction(collection: Collection, indices: np.ndarray) -> None:
    """Show the current z moved along the direction from the other images to the selected ones, and how well single
    pairs agree on that direction."""
    if state.model().discrete:
        st.caption(explain("Codebook indices cannot be added, so no direction leads to these images."))
        return
    first = _first_group(collection)
    others = np.setdiff1d(np.arange(len(collection)) if first is None else first, indices)
    buttons = st.container(horizontal=True)
    buttons.button(
        "Keep as the first group", key="map_selection_keep", on_click=_keep_group, args=(collection.id, indices),
        help="Select a second group on the map, and see the direction from this one to that.",
    )  # fmt: skip
    if first is not None:
        buttons.button(
            "Compare with all others", key="map_selection_all", on_click=_keep_group, args=(collection.id, None)
        )
    if not len(others):
        st.caption(
            "All images are selected, so there are no others to compare with." if first is None
            else "This is the first group. Select a second group on the map."
        )  # fmt: skip
        return
    codes = torch.from_numpy(collection.encoded.codes[np.concatenate([indices, others])])
    direction = latent.attribute_direction(codes, torch.arange(len(codes)) < len(indices))
    zs = state.z() + STEPS[:, None] * direction.vector
    picture_grid(
        state.decode(zs), [f"{t:+g} times the direction" for t in STEPS.tolist()], key="map_selection_walk",
        on_pick=lambda index: state.set_z(zs[index]), columns=len(STEPS), size=110,
        captions=[f"{t:+g}" if t else "0" for t in STEPS.tolist()], selected=2,
        name="the direction from the current z",
    )  # fmt: skip
    described = "the others" if first is None else f"the {len(others):,} images kept before"
    if first is not None and len(others) < len(first):
        described += " that are not selected now"
    st.caption(
        f"The current z, moved along the mean code of the selected images minus the mean code of {described}. The "
        f"differences of single pairs have a mean cosine of {direction.agreement:.3f}; those of random groups of the "
        f"same sizes have {direction.random_agreement:.3f}. If the two are close, the groups do not define a "
        "direction."
    )


def _images(collection: Collection, indices: np.ndarray) -> None:
    sort_order = st.selectbox("Sort", SORT_ORDERS, key="map_selection_sort")
    sort_keys = {
        SORT_ORDERS[0]: _distances(collection, indices), SORT_ORDERS[1]: -collection.encoded.recon[indices],
        SORT_ORDERS[2]: collection.labels[indices], SORT_ORDERS[3]: indices,
    }[sort_order]  # fmt: skip
    ordered = indices[np.argsort(sort_keys, kind="stable")]
    page = st.session_state.get("map_selection_page", 0) % -(-len(ordered) // SHOWN)
    part = ordered[page * SHOWN : (page + 1) * SHOWN]
    names = [f"{collection.classes[collection.labels[i]]}, {collection.name(i)}" for i in part]
    picture_grid(
        collection.images(part), names, key="map_selection_images",
        on_pick=lambda index: go_to(collection, int(part[index])), columns=8, size=72,
        name="selected images",
    )  # fmt: skip
    if len(ordered) > SHOWN:
        st.button(
            f"Show others ({page * SHOWN + 1:,} to {page * SHOWN + len(part):,} of {len(ordered):,})",
            key="map_selection_more", on_click=_set_page, args=(page + 1,),
        )  # fmt: skip


def _set_page(page: int) -> None:
    st.session_state.map_selection_page = page


def _csv(collection: Collection, indices: np.ndarray) -> bytes:
    """Encode a CSV row for each selected image: name, class, reconstruction error, positions and code."""
    text = io.StringIO()
    writer = csv.writer(text)
    position_columns = [f"{key}_{axis}" for key in collection.encoded.layouts for axis in "xy"]
    header = ["image", "class", "reconstruction_nats", *position_columns]
    writer.writerow([*header, *(f"z{d}" for d in range(collection.encoded.codes.shape[1]))])
    for i in indices:
        xy = [f"{value:.6g}" for layout in collection.encoded.layouts.values() for value in layout[i]]
        code = [f"{value:.6g}" for value in collection.encoded.codes[i]]
        name = collection.encoded.rows[i] if collection.names is None else collection.name(i)
        cells = [exports.escape_cell(str(w)) for w in (name, collection.classes[collection.labels[i]])]
        writer.writerow([*cells, f"{collection.encoded.recon[i]:.4f}", *xy, *code])
    return text.getvalue().encode()

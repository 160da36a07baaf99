"""A visitor's images: the first are placed on the map of test images; a larger set can have a map of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from vae import ModelUnavailable, latent
from vae.data.archives import MAX_IMAGES, File, collect, plain
from vae.data.formats import SUFFIXES
from vae.jobs import JobError
from vae.latent.own_map import MIN_IMAGES, Job, as_the_model_sees
from vae.uploads import UploadError

from ..shell import cached, state, visitors
from ..shell.glossary import explain
from ..widgets import collection
from ..widgets.collection import Collection, Layout
from ..widgets.image_input import OUTLIER_PERCENTILE, Picked, image_input, own_image
from ..widgets.picture_grid import picture_grid

MAX_PLACED = 24  # images placed on the model's map
MAX_NAMED_FILES = 3  # in one message; other files are counted
SETTINGS = {"map_image": ("int", 0, 9999)}


@dataclass(frozen=True)
class Placed:
    """M encoded images of a visitor and how they compare with test images."""

    x: torch.Tensor  # (M, C, H, W)
    codes: torch.Tensor  # (M, D)
    ys: torch.Tensor  # (M,), the classes used by a conditional model
    names: list[str]
    excess: np.ndarray  # (M,) nats, as cached.excess_errors gives them of test images
    distances: np.ndarray  # (M,), to the code of the 15th nearest test image
    problems: list[str]  # sentences on files that cannot be decoded and on images with non-finite results


def menu() -> None:
    """Show the menu to choose a picture, upload several, fit their own map and remove them."""
    with st.popover("Your images"):
        image_input("map_image", name="image to place on the map", on_change=_go_to_picture)
        st.file_uploader(
            f"Up to {MAX_IMAGES:,} images, or a zip file of them. Its folders become classes.", key="map_files",
            type=[*SUFFIXES, "zip"], accept_multiple_files=True, on_change=_on_upload,
        )  # fmt: skip
        files = st.session_state.get("map_uploads", [])
        if not files:
            st.caption(
                f"Your images are placed on this map. You can also fit a separate map to {MIN_IMAGES} images or more."
            )
            return
        st.markdown(f"**{len(files):,}** image{'s' * (len(files) != 1)}")
        if len(files) < MIN_IMAGES:
            st.caption(f"A separate map needs {MIN_IMAGES} images or more.")
        elif _job() is None:
            st.button("Fit a separate map", key="map_fit", type="primary", on_click=_start)
        st.button("Remove", key="map_clear", on_click=_clear)


def show_status() -> None:
    """Show warnings about the visitor's files, and the progress of a fit or the button to leave its map."""
    placed = _placed_images()
    for sentence in (*st.session_state.get("map_messages", ()), *(placed.problems if placed else ())):
        st.warning(sentence)
    if _job() is not None:
        _show_progress()
    elif own_collection() is not None:
        st.button("Back to the test images", key="map_own_leave", on_click=_leave)


def _go_to_picture(picked: Picked) -> None:
    state.set_image(picked.x, picked.label)


def _on_upload() -> None:
    """Read new files within the upload limits and make the first image's code the current z."""
    s = st.session_state
    s.map_uploads, s.map_messages = [], []
    try:
        collected = collect((file.name, file.getvalue()) for file in s.map_files or [])
        s.map_uploads, s.map_messages = collected.files, collected.notes
    except UploadError as error:
        s.map_messages = [str(error)]
    s.map_upload_count = s.get("map_upload_count", 0) + 1
    placed = _placed_images()
    first = int(own_image("map_image") is not None)  # the visitor's picture comes before the files
    if placed is not None and len(placed.x) > first:
        _go_to(placed, first)


def _clear() -> None:
    for key in ("map_uploads", "map_messages", "map_placed"):
        st.session_state.pop(key, None)


def _placed_images() -> Placed | None:
    """Return the visitor's picture and the first uploaded images, MAX_PLACED in all, encoded by the current model;
    None without images or a map."""
    files: list[File] = st.session_state.get("map_uploads", [])
    own, name = own_image("map_image"), state.card().name
    if not (files or own) or cached.model_map(name) is None:
        return None
    cache_key = (name, st.session_state.get("map_upload_count"), own[0] if own else "")
    kept, placed = st.session_state.get("map_placed", (None, None))
    if kept != cache_key:
        placed = _encode(own[1] if own else None, files[: MAX_PLACED - bool(own)])
        st.session_state.map_placed = (cache_key, placed)
    return placed


def _encode(own: torch.Tensor | None, files: list[File]) -> Placed:
    """Encode the visitor's picture (1, C, H, W), if there is one, and these files."""
    model, name = state.model(), state.card().name
    info = cached.info(state.card().data)
    xs, names = ([], []) if own is None else ([own], ["Your picture"])
    problems = []
    for file in files:
        try:
            xs.append(as_the_model_sees(file.content, info))
            names.append(file.name)
        except UploadError as error:
            problems.append(f"{plain(file.name)}: {error}")
    if len(problems) > MAX_NAMED_FILES:
        more = len(problems) - MAX_NAMED_FILES
        problems[MAX_NAMED_FILES:] = [f"{more} more of the first {len(files)} files cannot be decoded."]
    if not xs:
        nothing = torch.empty(0, model.latent_dim)
        return Placed(nothing, nothing, nothing, [], np.empty(0), np.empty(0), problems)
    x = torch.cat(xs)
    ys = model.most_likely_class(x) if model.num_classes else torch.zeros(len(x), dtype=torch.int64)
    codes = state.encode(x, ys)
    recon = state.reconstruction_errors(x, codes, ys if model.num_classes else None)
    usable = codes.isfinite().all(1) & torch.from_numpy(np.isfinite(recon))
    non_finite = [plain(name) for name, ok in zip(names, usable.tolist(), strict=False) if not ok]
    names = [name for name, ok in zip(names, usable.tolist(), strict=False) if ok]
    x, ys, codes, recon = x[usable], ys[usable], codes[usable], recon[usable.numpy()]
    if non_finite:
        problems.append(_non_finite_sentence(non_finite))
    distances = latent.nearest(state.features(codes), cached.features(name), 15)[1][:, -1]
    return Placed(x, codes, ys, names, recon - cached.lowest_errors(name, x), distances, problems)


def _non_finite_sentence(names: list[str]) -> str:
    """Return the sentence on images for which the model's results are not finite."""
    more = f" and {len(names) - MAX_NAMED_FILES} more" if len(names) > MAX_NAMED_FILES else ""
    where = "for this image" if len(names) == 1 else "for these images"
    return f"{', '.join(names[:MAX_NAMED_FILES])}{more}: {state.not_finite_message(where)}"


def marks(shown: Collection, layout: Layout) -> list[tuple[str, np.ndarray]]:
    """Return (number, position (2,)) of each placed image on a map of test images; [] on a visitor's own map."""
    placed = _placed_images()
    if placed is None or not len(placed.x) or shown.names is not None:
        return []
    positions = layout.transform(placed.codes, shown)
    return [(str(i + 1), position) for i, position in enumerate(positions)]


def _go_to(placed: Placed, index: int) -> None:
    state.set_z(placed.codes[index], y=int(placed.ys[index]) if state.model().num_classes else None)


def show_placed(shown: Collection) -> None:
    """Show each placed image with its nearest test images in latent space and its reconstruction error."""
    placed = _placed_images()
    if placed is None or not len(placed.x) or shown.names is not None:
        return
    st.divider()
    st.header("Your images on this map")
    indices, _ = latent.nearest(state.features(placed.codes), shown.features, 6)
    for i, name in enumerate(placed.names):
        own, nearest, verdict = st.columns([1, 3, 3], vertical_alignment="center")
        with own:
            picture_grid(
                placed.x[i : i + 1], [name], key=f"map_placed_{i}", columns=1, size=96,
                on_pick=lambda _, i=i: _go_to(placed, i), captions=[str(i + 1)], name=f"your image {i + 1}",
            )  # fmt: skip
        with nearest:
            picture_grid(
                shown.images(indices[i]),
                [f"{shown.classes[shown.labels[j]]}, {shown.name(j)}" for j in indices[i]],
                key=f"map_beside_{i}", columns=6, size=72, name=f"test images nearest to your image {i + 1}",
                captions=[shown.classes[shown.labels[j]] for j in indices[i]],
            )  # fmt: skip
        verdict.markdown(_verdict(placed, i))
    st.caption(
        explain(
            "Each row shows the model's input and the nearest test images in latent space. An error is called "
            f"unusually high if it exceeds that of {OUTLIER_PERCENTILE} % of the test images."
        )
    )
    if len(st.session_state.get("map_uploads", [])) > MAX_PLACED:
        st.caption(f"This map shows the first {MAX_PLACED} images. A separate map shows all.")


def _verdict(placed: Placed, i: int) -> str:
    """Return the sentences on an image's reconstruction error and on the distance to its neighbours' codes."""
    name, excess = state.card().name, placed.excess[i]
    percentile = cached.excess_percentile(name, excess)
    error = "excess reconstruction error" if state.traits().is_cross_entropy else "reconstruction error"
    unusual = "**unusually high** " if percentile > OUTLIER_PERCENTILE else ""
    share = "all" if percentile == 100 else f"{math.floor(percentile)} % of"
    typical = np.quantile(cached.local_distances(name), OUTLIER_PERCENTILE / 100)
    return (
        f"**{plain(placed.names[i])}**: {unusual}{error} of {excess:.0f} nats, more than for {share} test images. "
        f"The distance to its 15th nearest code is {placed.distances[i]:.2f}; for {OUTLIER_PERCENTILE} % of test "
        f"images it is below {typical:.2f}."
    )


# ---- the visitor's own map


def _job() -> Job | None:
    return st.session_state.get("map_job")


def own_collection() -> Collection | None:
    """Return the collection on the visitor's own map; None if none is open or another model encoded it."""
    name, own = st.session_state.get("map_own", (None, None))
    return own if name == state.card().name else None


def _start() -> None:
    if _job() is not None:  # the button was clicked twice
        return
    try:
        st.session_state.map_job = Job(
            state.card().name, st.session_state.map_uploads, visitors.store_of(state.card().name)
        )
        st.session_state.map_job_model = state.card().name
    except JobError as error:
        st.session_state.map_messages = [str(error)]


def _leave() -> None:
    st.session_state.pop("map_own", None)


@st.fragment(run_every=0.5)
def _show_progress() -> None:
    """Show the progress of the fit, or its result. As a fragment it does not block the page."""
    job = _job()
    if job is None:
        return
    if state.model_was_removed():
        st.rerun()
    if job.alive:
        progress = job.progress()
        st.progress(progress.share, text=f"Fitting your map: {progress.stage}")
        if st.button("Cancel", key="map_fit_cancel"):
            job.cancel()
            del st.session_state.map_job
            st.rerun()
        return
    del st.session_state.map_job
    try:
        own_map = job.result()
        name = st.session_state.map_job_model
        st.session_state.map_own = (name, collection.from_own_map(own_map, name))
        messages = []
        if own_map.left_out:
            messages.append(f"{own_map.left_out:,} of the files could not be decoded, so the map leaves them out.")
        if name != state.card().name:
            messages.append(f"Your map is ready. To see it, choose the model {cached.card(name).title}.")
        st.session_state.map_messages = messages
    except JobError as error:
        st.session_state.map_messages = [str(error)]
    except ModelUnavailable as error:  # the model that it was fitted for
        st.session_state.map_messages = [f"Your map cannot be shown: {error}."]
    st.rerun()

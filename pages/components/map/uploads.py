"""A visitor's images on the map: a few placed among held-out data, many on a map of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from vae import latent
from vae.data.archives import MAX_IMAGES, File, collect, plain
from vae.latent.own_map import MIN_IMAGES, Busy, Job, as_the_model_sees
from vae.uploads import UploadError

from ..shell import cached, state
from ..widgets import collection
from ..widgets.collection import Collection, Layout
from ..widgets.picture_grid import picture_grid

MAX_PLACED = 24  # on the model's own map
TOLD = 3  # files that cannot be decoded are named, and the others counted
FAR = 0.99  # the quantile of held-out data beyond which an image is called foreign


@dataclass(frozen=True)
class Placed:
    """Images among held-out data, and how they compare with it."""

    x: torch.Tensor  # (M, C, H, W)
    codes: torch.Tensor  # (M, D)
    ys: torch.Tensor  # (M,), the class that a conditional model was given
    names: list[str]
    recon: np.ndarray  # (M,) nats
    distances: np.ndarray  # (M,), to the 15th nearest held-out code
    limits: tuple[float, float]  # of both, the 99th percentiles of held-out data
    problems: list[str]  # sentences on files that could not be decoded or that the model has no numbers for


def menu() -> None:
    """Where images are brought in, and what can be done with them."""
    with st.popover("Your images"):
        st.file_uploader(
            f"Images, or a zip of up to {MAX_IMAGES:,} (its folders become classes)", key="map_files",
            type=["png", "jpg", "jpeg", "webp", "gif", "zip"], accept_multiple_files=True, on_change=_brought,
        )  # fmt: skip
        files = st.session_state.get("map_brought", [])
        if not files:
            st.caption(
                f"A few are placed on this map; of {MIN_IMAGES} or more a map of their own can be fitted, in a "
                "process of its own."
            )
            return
        st.markdown(f"**{len(files):,}** image{'s' * (len(files) != 1)}")
        if len(files) < MIN_IMAGES:
            st.caption(f"Fewer than {MIN_IMAGES} images: placed on this map; a map of their own needs more.")
        elif _job() is None:
            st.button("Fit a map of their own", key="map_fit", type="primary", on_click=_start)
        st.button("Take them away", key="map_clear", on_click=_clear)


def told() -> None:
    """What there is to say of the visitor's files, and how far a fit is."""
    found = _placed()
    for sentence in (*st.session_state.get("map_told", ()), *(found.problems if found else ())):
        st.warning(sentence)
    if _job() is not None:
        _watch()
    elif own_collection() is not None:
        st.button("Back to held-out images", key="map_own_leave", on_click=_leave)


def _brought() -> None:
    """New files: read within bounds, told plainly; the first becomes the current point."""
    s = st.session_state
    s.map_brought, s.map_told = [], []
    try:
        found = collect((file.name, file.getvalue()) for file in s.map_files or [])
        s.map_brought, s.map_told = found.files, found.notes
    except UploadError as error:
        s.map_told = [str(error)]
    s.map_bringing = s.get("map_bringing", 0) + 1
    placed = _placed()
    if placed is not None and len(placed.x):
        _go_to(placed, 0)


def _clear() -> None:
    for key in ("map_brought", "map_told", "map_placed"):
        st.session_state.pop(key, None)


def _placed() -> Placed | None:
    """The first of the brought images under the current model; None for none."""
    files: list[File] = st.session_state.get("map_brought", [])
    name = state.card().name
    if not files or cached.model_map(name) is None:
        return None
    wanted = (name, st.session_state.map_bringing)
    kept, placed = st.session_state.get("map_placed", (None, None))
    if kept != wanted:
        placed = _place(files[:MAX_PLACED])
        st.session_state.map_placed = (wanted, placed)
    return placed


def _place(files: list[File]) -> Placed:
    model, name = state.model(), state.card().name
    info = cached.info(state.card().data)
    xs, names, problems = [], [], []
    for file in files:
        try:
            xs.append(as_the_model_sees(file.content, info))
            names.append(file.name)
        except UploadError as error:
            problems.append(f"{plain(file.name)}: {error}")
    if len(problems) > TOLD:
        problems[TOLD:] = [f"{len(problems) - TOLD} more of the first {len(files)} files cannot be decoded."]
    if not xs:
        nothing = torch.empty(0, model.latent_dim)
        return Placed(nothing, nothing, nothing, [], np.empty(0), np.empty(0), (0.0, 0.0), problems)
    x = torch.cat(xs)
    ys = model.most_likely_class(x) if model.num_classes else torch.zeros(len(x), dtype=torch.int64)
    codes = state.encode(x, ys)
    with torch.no_grad():
        recon = -model.likelihood(codes, ys if model.num_classes else None).log_prob(x)
    usable = codes.isfinite().all(1) & recon.isfinite()
    refused = [plain(name) for name, ok in zip(names, usable.tolist(), strict=False) if not ok]
    names = [name for name, ok in zip(names, usable.tolist(), strict=False) if ok]
    x, ys, codes, recon = x[usable], ys[usable], codes[usable], recon[usable].numpy()
    if refused:
        problems.append(_refusal(refused))
    distances = latent.nearest(state.features(codes), cached.features(name), 15)[1][:, -1]
    found = cached.model_map(name)
    limits = float(np.quantile(found.recon, FAR)), float(np.quantile(cached.local_distances(name), FAR))
    return Placed(x, codes, ys, names, recon, distances, limits, problems)


def _refusal(names: list[str]) -> str:
    """Return the sentence on images for which the model returns no finite numbers."""
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    where = "for this image" if len(names) == 1 else "for these images"
    return f"{', '.join(names[:TOLD])}{more}: {state.not_finite_message(where)}"


def marks(shown: Collection, layout: Layout) -> list[tuple[str, np.ndarray]]:
    """The placed images as marks on a map of held-out data."""
    placed = _placed()
    if placed is None or not len(placed.x) or shown.rows is None:
        return []
    places = layout.transform(placed.codes, shown)
    return [(str(i + 1), place) for i, place in enumerate(places)]


def _go_to(placed: Placed, index: int) -> None:
    state.set_z(placed.codes[index], y=int(placed.ys[index]) if state.model().num_classes else None)


def placed(shown: Collection) -> None:
    """The placed images with what lies beside them in latent space, and whether they are foreign."""
    found = _placed()
    if found is None or not len(found.x) or shown.rows is None:
        return
    st.divider()
    st.subheader("Your images, placed")
    indices, _ = latent.nearest(state.features(found.codes), shown.features, 6)
    for i, name in enumerate(found.names):
        own, beside, words = st.columns([1, 3, 3], vertical_alignment="center")
        with own:
            picture_grid(
                found.x[i : i + 1], [name], key=f"map_placed_{i}", columns=1, size=96,
                on_pick=lambda _, i=i: _go_to(found, i), captions=[str(i + 1)], name=f"your image {i + 1}",
            )  # fmt: skip
        with beside:
            picture_grid(
                shown.images(indices[i]),
                [f"{shown.classes[shown.labels[j]]}, {shown.name(j)}" for j in indices[i]],
                key=f"map_beside_{i}", columns=6, size=72, name=f"held-out images nearest to your image {i + 1}",
                captions=[shown.classes[shown.labels[j]] for j in indices[i]],
            )  # fmt: skip
        words.markdown(_verdict(found, i))
    st.caption(
        "What the model sees, then the held-out images nearest in latent space. An image is called outside "
        f"the data when its reconstruction error or its distance to the 15th nearest code lies beyond the "
        f"{100 * FAR:.0f}th percentile of held-out images."
    )
    if len(st.session_state.get("map_brought", [])) > MAX_PLACED:
        st.caption(f"The first {MAX_PLACED} are placed; a map of their own shows all.")


def _verdict(found: Placed, i: int) -> str:
    recon, distance, name = found.recon[i], found.distances[i], plain(found.names[i])
    reasons = []
    if recon > found.limits[0]:
        reasons.append(f"reconstruction error {recon:.0f} nats (held-out: 99 % below {found.limits[0]:.0f})")
    if distance > found.limits[1]:
        reasons.append(f"15th nearest code {distance:.2f} away (99 % within {found.limits[1]:.2f})")
    if reasons:
        return f"⚠ **{name}** lies **outside the data**: " + " and ".join(reasons) + "."
    measured = f"reconstruction error {recon:.0f} nats, 15th nearest code {distance:.2f} away"
    return f"**{name}** lies within the data: {measured}."


# ---- a map of their own


def _job() -> Job | None:
    return st.session_state.get("map_job")


def own_collection() -> Collection | None:
    """The visitor's own map, where it was fitted under the current model and is being looked at."""
    name, found = st.session_state.get("map_own", (None, None))
    return found if name == state.card().name else None


def _start() -> None:
    if _job() is not None:  # a second click, before the page has heard of the first
        return
    try:
        st.session_state.map_job = Job(state.card().name, st.session_state.map_brought)
        st.session_state.map_job_model = state.card().name
    except Busy as error:
        st.session_state.map_told = [str(error)]


def _leave() -> None:
    st.session_state.pop("map_own", None)


@st.fragment(run_every=0.5)
def _watch() -> None:
    """How far the fit is; the page stays alive meanwhile."""
    job = _job()
    if job is None:
        return
    if job.alive:
        progress = job.progress()
        st.progress(min(1.0, progress.share), text=f"Your map: {progress.stage}")
        if st.button("Cancel", key="map_fit_cancel"):
            job.cancel()
            del st.session_state.map_job
            st.rerun()
        return
    del st.session_state.map_job
    try:
        found = job.result()
        name = st.session_state.map_job_model
        st.session_state.map_own = (name, collection.from_own_map(found, name))
        told = []
        if found.left_out:
            told.append(f"{found.left_out:,} of the files could not be decoded and were left out.")
        if name != state.card().name:
            told.append(f"Your map is ready under {cached.zoo_scan()[0][name].title}, which it was fitted for.")
        st.session_state.map_told = told
    except UploadError as error:
        st.session_state.map_told = [str(error)]
    st.rerun()

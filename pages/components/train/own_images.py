"""A visitor's own images: uploaded, checked, and made into a data set."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import streamlit as st

from vae import folders as home
from vae.data import DATASETS, DatasetInfo, pictures
from vae.data.own import MAX_IN_APP, MIN_IMAGES, SIZES, Check, Source, build, check, open_source, read

from ..shell import own

FILES, CHECKED, REFUSED = "train_files", "train_checked", "train_build_refused"
COLUMNS = 8  # of the thumbnails
MAX_TITLE = 60  # characters
FOLDER = "data"  # of data sets, in the visitor's folder of models
DATA = "train_data"  # the key of the data sets' selector


def upload(locked: bool) -> None:
    """Show the way from files to a data set. locked: whether a training is going on."""
    with st.popover("Use your own images", width="stretch", disabled=locked):
        files = st.file_uploader(
            f"A zip file, or {MIN_IMAGES} to {MAX_IN_APP:,} images", accept_multiple_files=True, key=FILES
        )
        size = st.segmented_control("Pixels per side", SIZES, default=SIZES[0], required=True, key="train_own_size")
        if not files:
            st.caption(
                "Folders in the zip file become classes. A file factors.csv in it gives known factors: its header "
                "names them, and its first column names the images."
            )
            return
        source, found = _checked(files, size)
        for sentence in found.sentences:
            st.markdown(f"- {sentence}")
        if found.refusal:
            st.warning(found.refusal)
            return
        sheet = pictures.tile(found.thumbnails, COLUMNS, gap=1)
        st.image(pictures.to_image(sheet, 2 if size < 64 else 1), "Some of the images, as the model sees them")
        title = st.text_input("Name", source.title or "My images", max_chars=MAX_TITLE, key="train_own_title")
        st.button("Use these images", type="primary", key="train_own_use", on_click=_use, args=(source, found, title))
        if REFUSED in st.session_state:
            st.warning(st.session_state[REFUSED])


def _checked(files: list, size: int) -> tuple[Source, Check]:
    """Return the source of uploaded files and what its check found, once per upload and size."""
    key = (size, *(file.file_id for file in files))
    kept, result = st.session_state.get(CHECKED, (None, None))
    if kept != key:
        bar = st.progress(0.0, "Checking the images")
        source = open_source([(file.name, file.getvalue()) for file in files])
        result = source, check(source, size, lambda stage, share: bar.progress(min(share, 1.0), stage), in_app=True)
        bar.empty()
        st.session_state[CHECKED] = (key, result)
    return result


def _use(source: Source, found: Check, title: str) -> None:
    """Write the data set and choose it."""
    st.session_state.pop(REFUSED, None)
    try:
        folder = free_folder(own.root() / FOLDER, title)
        build(source, found, folder, title, found.size)
    except (ValueError, OSError) as error:
        st.session_state[REFUSED] = f"The images could not be stored: {error}."
        return
    st.session_state.pop(CHECKED, None)
    st.session_state[DATA] = folder.name


def free_folder(parent: Path, title: str) -> Path:
    """Return a folder that does not exist yet, named after a title."""
    slug = re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "images"
    names = (slug if n == 1 else f"{slug}-{n}" for n in itertools.count(1))
    return next(parent / name for name in names if name not in DATASETS and not (parent / name).exists())


def folders() -> dict[str, Path]:
    """Return {name: folder} of the data sets of own images that the visitor may train on: his own, and those that
    `vae data add` has given to all."""
    places = dict.fromkeys((own.root() / FOLDER, home.data()))
    found = [path.parent for place in places for path in sorted(place.glob("*/data.json"))]
    return {folder.name: folder for folder in reversed(found) if folder.name not in DATASETS and info(folder)}


def info(folder: Path) -> DatasetInfo | None:
    """Return the data set in a folder; None for a damaged one."""
    try:
        return _read(folder, (folder / "data.json").stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@st.cache_resource(max_entries=100, show_spinner=False)
def _read(folder: Path, changed: int) -> DatasetInfo:
    """changed: when its description was written."""
    return read(folder)

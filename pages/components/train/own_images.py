"""A visitor's own images: uploaded, checked, and made into a data set."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import streamlit as st

from vae import folders as home
from vae.data import DATASETS, DatasetInfo, pictures
from vae.data.own import MAX_IN_APP, MIN_IMAGES, SIZES, Check, Source, build, check, open_source, read
from vae.store import Store

from ..shell import own, visitors

FILES, CHECKED, REFUSED, DELETING = "train_files", "train_checked", "train_build_refused", "train_own_deleting"
POPOVER, USED = "train_own", "train_own_used"  # whether it is open; how many uploads were used
COLUMNS = 8  # of the thumbnails
MAX_TITLE = 60  # characters
FOLDER = "data"  # of data sets, in the visitor's folder of models
DATA = "train_data"  # the key of the data sets' selector


def upload(locked: bool) -> None:
    """Show the way from files to a data set. locked: whether a training is going on."""
    number = st.session_state.get(USED, 0)
    with st.popover("Use your own images", key=POPOVER, on_change="rerun", width="stretch", disabled=locked):
        files = st.file_uploader(
            f"A zip file, or {MIN_IMAGES} to {MAX_IN_APP:,} images", accept_multiple_files=True,
            key=f"{FILES}_{number}",
        )  # fmt: skip
        size = st.segmented_control("Pixels per side", SIZES, default=SIZES[0], required=True, key="train_own_size")
        if files:
            _show_check(files, size)
        else:
            st.caption(
                "Folders in the zip file become classes. A file factors.csv in it gives known factors: its header "
                "names them, and its first column names the images."
            )
            _show_deleting()


def _show_check(files: list, size: int) -> None:
    """Show what was found in uploaded files, and offer to use them."""
    try:
        source, found = _checked(files, size)
    except OSError as error:
        st.warning(f"The images cannot be checked: {error}.")
        return
    st.markdown("\n".join(f"- {sentence}" for sentence in found.sentences))
    if found.refusal:
        st.warning(found.refusal)
        return
    sheet = pictures.tile(found.thumbnails, COLUMNS, gap=1)
    st.image(pictures.to_image(sheet, 2 if size < 64 else 1), "Some of the images, as the model sees them")
    title = st.text_input("Name", source.title or "My images", max_chars=MAX_TITLE, key="train_own_title")
    st.button("Use these images", type="primary", key="train_own_use", on_click=_use, args=(source, found, title))
    if REFUSED in st.session_state:
        st.warning(st.session_state[REFUSED])


def _show_deleting() -> None:
    """Offer to delete the chosen data set, if it is the visitor's."""
    name = st.session_state.get(DATA, "")
    if name not in data_sets() or not (own.root() / FOLDER / name).is_dir():
        return
    if st.session_state.get(DELETING) != name:
        st.button(
            f"Delete the images “{data_sets()[name].title}”", key="train_own_delete",
            on_click=lambda: st.session_state.update({DELETING: name}),
        )  # fmt: skip
        return
    with st.container(horizontal=True):
        st.button("Delete them now", type="primary", key="train_own_delete_now", on_click=_delete, args=(name,))
        st.button("Keep them", key="train_own_keep", on_click=lambda: st.session_state.pop(DELETING, None))


def _delete(name: str) -> None:
    """Delete one of the visitor's data sets. Models that were trained on it keep their test images."""
    st.session_state.pop(DELETING, None)
    st.session_state[POPOVER] = False
    shutil.rmtree(own.root() / FOLDER / name, ignore_errors=True)


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
        visitors.check_space()
        folder = free_folder(own.root() / FOLDER, title)
        build(source, found, folder, title, found.size)
    except (ValueError, OSError) as error:
        st.session_state[REFUSED] = f"The images could not be stored: {error}."
        return
    st.session_state.pop(CHECKED, None)
    st.session_state[DATA] = folder.name
    st.session_state[POPOVER] = False
    st.session_state[USED] = st.session_state.get(USED, 0) + 1  # for an uploader without the files


def free_folder(parent: Path, title: str) -> Path:
    """Return a folder that does not exist yet, named after a title."""
    slug = re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "images"
    names = (slug if n == 1 else f"{slug}-{n}" for n in itertools.count(1))
    return next(parent / name for name in names if name not in DATASETS and not (parent / name).exists())


def data_sets() -> dict[str, DatasetInfo]:
    """Return {name: data set} of the own images that the visitor may train on: his own, and those that `vae data add`
    has given to all."""
    return Store([own.root(), home.home()]).scan_datasets(read=_read)[0]


def _read(folder: Path) -> DatasetInfo:
    """Read a data set, once as long as it stays the same. Raises ValueError where it is damaged."""
    try:
        changed = (folder / "data.json").stat().st_mtime_ns
    except OSError as error:
        raise ValueError(f"the data set in {folder} cannot be read ({error})") from error
    return _read_once(folder, changed)


@st.cache_resource(max_entries=100, show_spinner=False)
def _read_once(folder: Path, changed: int) -> DatasetInfo:
    """changed: when its description was written."""
    return read(folder)

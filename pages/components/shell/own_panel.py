"""What a visitor may do with a model of his own, and with a project file: on the picker, on Home and in Share."""

from __future__ import annotations

import streamlit as st

from vae import ModelCard, ModelUnavailable, folders, project

from . import own, state, visitors

DELETED_AFTER = "two minutes"  # visitors.KEEP


def show_own(card: ModelCard) -> None:
    """Show where a visitor's model is kept, and rename, download and delete it."""
    with st.container(key="own_model"):
        st.markdown(_where(card))
        _download_button(card, "own_download")
        st.text_input(
            "Title", card.title, max_chars=project.MAX_TITLE, key=f"own_title_{card.name}_{card.title}",
            on_change=_rename, args=(card.name, f"own_title_{card.name}_{card.title}"),
        )  # fmt: skip
        with st.container(horizontal=True):
            if st.session_state.get("own_deleting") == card.name:
                st.button(
                    "Delete it now", key="own_delete_now", type="primary", on_click=_delete, args=(card.name,)
                )
                st.button("Keep it", key="own_keep", on_click=lambda: st.session_state.pop("own_deleting", None))
            else:
                st.button("Delete this model", key="own_delete", on_click=_ask, args=(card.name,))


def show_kept(card: ModelCard) -> None:
    """Show where the model of a training is kept, and offer it as a project file."""
    st.caption(_where(card))
    _download_button(card, "train_download")


def _where(card: ModelCard) -> str:
    if card.name not in visitors.models():
        return f"This model is yours. It is in `{folders.home() / card.name}`."
    why = f"The folder `{folders.home()}` cannot be written, so this" if visitors.is_read_only() else "This"
    return (
        f"{why} model belongs to your session. Nobody else can see it, and it is deleted {DELETED_AFTER} after you "
        "leave. **Download it to keep it.**"
    )


def show_download(card: ModelCard) -> None:
    """Offer a model as a project file."""
    st.markdown(
        "A model file contains the weights, the card and the map, and for your own data also the test images. Any "
        "copy of this app opens it, under **About** or with `vae import`."
    )
    _download_button(card, "project_file")


def _download_button(card: ModelCard, key: str) -> None:
    # now, because the session is not available when the file is made
    store, suffix = visitors.store_of(card.name), visitors.suffix_of(card.name)
    st.download_button(
        "Model file (.vae.zip)", lambda: project.write(store, card.name, suffix),
        visitors.plain_name(card.name) + project.SUFFIX, "application/zip",
        key=key, on_click="ignore", icon=":material/download:",
    )  # fmt: skip


def show_opening(key: str) -> None:
    """Offer to open a project file. Its model becomes the current one."""
    number = st.session_state.get("opened_projects", 0)
    file = st.file_uploader("Open a model file (.vae.zip)", type=["zip"], key=f"{key}_{number}")
    if file is None:
        return
    try:
        with st.spinner("Checking the model file"):
            own.open_project(file.getvalue())
    except (project.ProjectError, OSError) as error:
        st.error(f"This file cannot be opened: {error}.")
        return
    st.session_state.opened_projects = number + 1  # for an uploader without the file
    st.rerun()


def _ask(name: str) -> None:
    st.session_state.own_deleting = name


def _rename(name: str, key: str) -> None:
    try:
        own.rename(name, st.session_state[key])
    except (ModelUnavailable, project.ProjectError, OSError) as error:
        state.add_warning(f"The title did not change: {error}.")


def _delete(name: str) -> None:
    st.session_state.pop("own_deleting", None)
    try:
        own.delete(name)
    except (ModelUnavailable, OSError) as error:
        state.add_warning(f"The model was not deleted: {error}.")

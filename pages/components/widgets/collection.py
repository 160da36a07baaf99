"""Collections of encoded images (test images or a visitor's own) and their 2-D layouts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from vae import latent
from vae.browser import collection
from vae.encoded import EncodedImages
from vae.latent import maps
from vae.latent.geometry import Plane
from vae.latent.own_map import OwnMap

from ..shell import cached, state


@dataclass(frozen=True)
class Collection:
    """N encoded images. Sessions share collections of test images, so do not modify them."""

    id: str  # of these codes
    sheet: str  # id of these images
    title: str  # for a caption: "5,000 test images of ..."
    encoded: EncodedImages
    features: np.ndarray  # (N, F), in which distances between codes are measured
    labels: np.ndarray  # (N,), indices into classes
    classes: tuple[str, ...]
    ys: np.ndarray  # (N,), the classes under which a conditional model decodes
    map_details: dict  # settings and trustworthiness of the fitted maps
    images: Callable[[np.ndarray], Tensor]  # indices (B,) -> (B, C, H, W) in [0, 1]
    names: tuple[str, ...] | None  # of files; None for test images

    def __len__(self) -> int:
        return len(self.encoded)

    def name(self, index: int) -> str:
        return f"test image {self.encoded.rows[index]}" if self.names is None else self.names[index]


@dataclass(frozen=True)
class Layout:
    """A 2-D layout of a collection: maps codes to positions and back."""

    key: str
    title: str
    xy: np.ndarray  # (N, 2), the images' positions
    neighbours: int  # averaged by inverse_transform; 0 if the layout is a plane
    plane: Plane | None = None
    repulsion: maps.Repulsion | None = None
    dims: tuple[int, int] | None = None  # the two dimensions, if it shows dimensions

    def transform(self, z: Tensor, collection: Collection) -> np.ndarray:
        """Map codes (B, D) to positions (B, 2)."""
        if self.plane is not None:
            return self.plane.place(z.numpy())
        return maps.place(state.features(z), collection.features, self.xy, self.repulsion)

    def inverse_transform(self, xy: np.ndarray, collection: Collection) -> Tensor:
        """Map positions (B, 2) to codes (B, D)."""
        if self.plane is not None:
            codes = self.plane.inverse(xy)
        else:
            codes = maps.inverse(xy, self.xy, collection.encoded.codes, self.neighbours)
        return torch.from_numpy(codes.astype(np.float32))

    def classes_at(self, xy: np.ndarray, collection: Collection) -> Tensor | None:
        """Return the classes (B,) under which to decode positions (B, 2): the nearest image's, or the current class if
        the layout is a plane; None for unconditional models."""
        if self.plane is not None or not state.model().num_classes:
            return state.y(len(xy))
        return torch.from_numpy(collection.ys[latent.nearest(xy, self.xy, 1)[0][:, 0]])


def from_test_images(name: str) -> Collection | None:
    """Return the collection of a model's encoded test images; None if the model has no map."""
    encoded = cached.model_map(name)
    if encoded is None:
        return None
    card = cached.model(name).card
    info, split = cached.info(card.data), cached.gallery(card.data)
    return Collection(
        id=f"{cached.map_id(name)} test {len(encoded.rows)}",
        sheet=f"{card.data} test {len(encoded.rows)} {encoded.rows[0]} {encoded.rows[-1]}",
        title=f"{len(encoded.rows):,} test images of {info.title}",
        encoded=encoded, features=cached.features(name),
        labels=split.labels[encoded.rows], classes=info.classes, ys=split.labels[encoded.rows],
        map_details=card.map,
        images=lambda indices: split.batch(encoded.rows[indices])[0], names=None,
    )  # fmt: skip


def from_own_map(own_map: OwnMap, name: str) -> Collection:
    """Return the collection of a visitor's images, which the model of this name encoded."""
    codes = own_map.encoded.codes
    digest = hashlib.sha256(codes.tobytes() + own_map.images.tobytes()).hexdigest()[:16]
    folders, labels = np.unique(own_map.folders, return_inverse=True)
    return Collection(
        id=f"{cached.weights_id(name)} own {digest}", sheet=f"own {digest}", title=f"{len(codes):,} of your images",
        encoded=own_map.encoded, features=cached.model(name).features(torch.from_numpy(codes)).numpy(),
        labels=labels, classes=tuple(str(folder) or "no folder" for folder in folders), ys=own_map.classes,
        map_details=own_map.map_parameters,
        images=lambda indices: torch.from_numpy(own_map.images[indices]).float() / 255, names=own_map.names,
    )  # fmt: skip


def make_layout(collection: Collection, key: str, title: str, dims: tuple[int, int] | None = None) -> Layout:
    """Return the layout with this key: a fitted map's, or "dims", the plane of two dimensions through the current
    code."""
    codebook = state.model().discrete
    if key == "dims":
        plane = maps.dimension_plane(state.z().numpy(), dims)
        name = f"dims {dims[0]} {dims[1]}"
        return Layout(name, title, collection.encoded.codes[:, list(dims)], 0, plane, dims=dims)
    xy = collection.encoded.layouts[key]
    # indices of vectors cannot be averaged: use the nearest image's code
    neighbours = 1 if codebook else min(maps.INVERSE_NEIGHBORS, len(xy))
    if key == "pca" and not codebook:
        return Layout(key, title, xy, 0, plane=_pca_plane(collection.id, collection.encoded.codes))
    repulsion = _repulsion(f"{collection.id} {key}", xy) if key != "pca" else None
    return Layout(key, title, xy, neighbours, repulsion=repulsion)


@st.cache_resource(max_entries=60, show_spinner=False)
def _pca_plane(collection: str, _codes: np.ndarray) -> Plane:
    return maps.pca_plane(_codes)


@st.cache_resource(max_entries=16, show_spinner=False)
def _repulsion(layout_key: str, _xy: np.ndarray) -> maps.Repulsion:
    return maps.umap_repulsion(_xy)


# ---- messages to the browser


def points_message(shown: Collection) -> bytes:
    return collection.points(shown.id, shown.sheet, shown.encoded, shown.labels, shown.ys, shown.names)


def sheet_message(shown: Collection) -> bytes:
    return _sheet(shown.sheet, shown)


@st.cache_data(max_entries=12, show_spinner=False)
def _sheet(name: str, _collection: Collection) -> bytes:
    return collection.sheet(name, len(_collection), _collection.images, state.info().modality)

"""What several unit tests stand on."""

import dataclasses

import numpy as np
import pytest

from vae import store
from vae.data import DATASETS
from vae.latent import maps
from vae.training.recipes import RECIPES


@pytest.fixture
def small_world(tmp_path, monkeypatch, tiny_split):
    """An empty store, one quick recipe, 40 images."""
    recipe = dataclasses.replace(RECIPES["mnist-vae-2d"], steps=3, batch_size=4)
    info = dataclasses.replace(DATASETS["mnist"], load=lambda split: tiny_split((1, 28, 28), n=40))
    monkeypatch.setitem(RECIPES, "mnist-vae-2d", recipe)
    monkeypatch.setitem(DATASETS, "mnist", info)
    monkeypatch.setattr(store, "PRETRAINED", tmp_path / "pretrained")
    monkeypatch.setattr(maps, "fit_umap", lambda codes, seed, progress, exact: np.zeros((len(codes), 2), np.float32))
    (tmp_path / "pretrained").mkdir()
    return tmp_path

"""What the browser sends of sliders and of the grid of codes, and what becomes of it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import vae
from pages.components.bridge import messages
from pages.components.live_panel import code_grid, panel, python_code
from pages.components.shell import cached, state
from vae.data import DATASETS, pictures
from vae.encoded import STRIP_SHARE

NAME = "mnist-cvae"


class Session(dict):
    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__


@pytest.fixture
def session(monkeypatch):
    """A session on a model; session(callback, **fields) runs a callback on what the browser sends."""
    found = Session(model=NAME, y=2)
    for module in (state, messages, panel, code_grid):
        monkeypatch.setattr(module, "st", SimpleNamespace(session_state=found))
    monkeypatch.setattr(state, "ensure_entry_point", lambda: None)
    monkeypatch.setattr(panel, "request_rerun", lambda key: found.update(rerun=key))

    def send(callback, **fields):
        monkeypatch.setattr(messages, "sent", lambda key, event: {"model": found.model, **fields})
        found.pop("rerun", None)
        callback()
        return found

    return send


def test_a_release_sets_the_point_and_its_echo(session):
    dims = vae.load(NAME).latent_dim
    found = session(panel._commit, z=[0.5] * dims, y=7, panel="abc", commit=3)
    assert found.z == (0.5,) * dims and found.y == 7 and found.rerun == panel.KEY
    assert found.panel_echo == {"panel": "abc", "commit": 3} and "panel_note" not in found
    for wild in (None, [0.5], ["0.5"] * dims, [True] * dims):
        assert "rerun" not in session(panel._commit, z=wild, y=1) and found.z == (0.5,) * dims and found.y == 7
    session(panel._commit, z=[0.0] * dims, y=True, panel=[["a"]], commit=1.0)
    assert found.y == 7 and found.panel_echo == {"panel": "", "commit": 0}
    session(panel._commit, z=[None, 10**400] + [1e9] * (dims - 2), y=10)
    low, high = cached.slider_ranges(NAME).T
    torch.testing.assert_close(torch.tensor(found.z[:2]), torch.tensor((low + high)[:2] / 2).float(), atol=1e-4,
        rtol=0)
    assert found.z[2:] == (state.MAX_ABS,) * (dims - 2) and "not finite" in found.panel_note and found.y == 7
    session(panel._commit, z=[0.0] * dims, model="mnist-vae-2d")
    assert found.z[2] == state.MAX_ABS  # about a model that was left


def test_names_and_locks_are_of_dimensions_that_there_are(session):
    found = session(panel._rename, index=1, name=" slant<b>: ")
    assert state.names() == {1: "slantb"} and found.rerun == panel.KEY
    for wild in ({"index": True, "name": "a"}, {"index": 999, "name": "a"}, {"index": 0, "name": 7}, {}):
        session(panel._rename, **wild)
    assert state.names() == {1: "slantb"}
    session(panel._rename, index=1, name="")
    assert state.names() == {}
    session(panel._lock, index=1, locked=True)
    for wild in ({"index": 2, "locked": 1}, {"index": -1, "locked": True}, {"index": "2", "locked": True}, {}):
        session(panel._lock, **wild)
    assert state.locked() == {1}
    session(panel._lock, index=1, locked=False)
    assert state.locked() == set()


def test_a_sample_changes_the_seed_and_the_asked_level_alone_and_no_locked_dimension(session):
    found = session(panel._commit, z=[0.5] * vae.load(NAME).latent_dim, y=2)
    found.seed = state.MAX_SEED
    session(panel._lock, index=3, locked=True)
    session(panel._sample, level="")
    expected = vae.load(NAME).sample(1, generator=torch.Generator().manual_seed(0))[0]
    assert found.seed == 0 and found.z[3] == 0.5 and found.y == 2
    torch.testing.assert_close(torch.tensor([*found.z[:3], *found.z[4:]]), torch.cat([expected[:3], expected[4:]]),
        atol=1e-4, rtol=0)  # fmt: skip
    found.model, found.z, found.start = "mnist-ladder", (0.25,) * 50, ((0.25,) * 50, 0)
    found.weights = ""
    for level, dims in vae.load("mnist-ladder").levels.items():
        before = found.z
        session(panel._sample, level=level)
        assert {d for d in range(50) if found.z[d] != before[d]} == set(dims)
    before = found.z
    session(panel._sample, level="bottom level", model="mnist-vae-2d")
    assert found.z == before


def test_a_step_along_an_attribute_needs_one_of_the_data_and_a_sign(session):
    found = session(panel._lock)
    found.model, found.y = "faces-vae", 0
    found.z = before = (0.0,) * vae.load("faces-vae").latent_dim
    for wild in ({"name": "hat", "sign": 1}, {"name": "glasses", "sign": 2}, {"name": ["glasses"], "sign": 1}, {}):
        session(panel._step_along, **wild)
        assert found.z == before
    session(panel._step_along, name="glasses", sign=1)
    there = cached.attribute_directions("faces-vae")["glasses"].vector
    torch.testing.assert_close(torch.tensor(found.z), there.float(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", [NAME, "mnist-vae-2d", "mnist-vqvae", "rooms-vae"])
def test_the_code_on_the_page_runs_and_decodes_the_same_picture(name, monkeypatch, tmp_path):
    model = vae.load(name)
    found = Session(model=name, y=3, z=tuple(model.sample(1, generator=torch.Generator().manual_seed(0))[0].tolist()))
    for module in (state, python_code):
        monkeypatch.setattr(module, "st", SimpleNamespace(session_state=found))
    monkeypatch.setattr(state, "ensure_entry_point", lambda: None)
    x, _ = DATASETS[model.card.data].load("test").batch([0])
    pictures.to_image(pictures.to_uint8(x)[0]).save(tmp_path / "picture.png")
    monkeypatch.chdir(tmp_path)
    made = {}
    exec(python_code.python_code(), made)
    expected = model.decode(torch.tensor([found.z]), torch.tensor([3]) if model.num_classes else None)
    torch.testing.assert_close(made["x_hat"], expected, atol=1e-4, rtol=0)
    assert made["x"].shape == x.shape and made["z"].shape == (1, model.latent_dim)


def test_listed_dimensions_have_a_kl_above_a_tenth_of_a_nat():
    for card in vae.available():
        if cached.traits(card.name).discrete:
            continue
        listed, kl = cached.listed_dimensions(card.name), card.figures.get("kl_per_dim")
        assert listed and listed == [d for d in cached.dimension_order(card.name) if d in listed]
        if kl and max(kl) > 0.1:
            assert set(listed) == {d for d, value in enumerate(kl) if value > 0.1}, card.name
    assert len(cached.listed_dimensions("mnist-collapsed")) == 1
    assert len(cached.listed_dimensions("mnist-ae-16d")) == vae.load("mnist-ae-16d").card.figures["active_units"]


def test_strips_end_where_data_is():
    codes = cached.posterior_samples("mnist-vae-16d")
    low, high = cached.strip_ranges("mnist-vae-16d").T
    share = ((codes >= low) & (codes <= high)).mean(0)
    np.testing.assert_allclose(share, STRIP_SHARE, atol=0.001)
    wide = cached.slider_ranges("mnist-vae-16d").T
    assert (wide[0] < low).all() and (high < wide[1]).all()


def test_places_of_the_grid_are_those_of_the_model(session):
    found = session(code_grid._keep_positions)
    found.model = "mnist-vqvae"
    session(code_grid._keep_positions, places=[5, 3, 5, 49, -1], number=4)
    key = code_grid._positions_key()
    assert found[key] == [3, 5] and found[code_grid.KEY + "_number"] == 4
    session(code_grid._keep_positions, places=[1, True], number=True)
    session(code_grid._keep_positions, places="12", number=-1)
    assert found[key] == [3, 5] and found[code_grid.KEY + "_number"] == 4

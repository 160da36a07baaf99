"""Traversals on Sliders, and the direction between two groups of the map, against computations of their own."""

import numpy as np
import pytest
import torch

import vae
from vae import latent, store

from .events import emit
from .test_pages import components, start


def grid(app, name):
    (props,) = [data for data in components(app).values() if data.get("name") == name]
    return props


def shares(props):
    return [float(label.split("\n")[1].rstrip(" %")) / 100 for label in props["row_labels"]]


def test_rows_follow_principal_directions_and_those_of_largest_change_at_z():
    app = start("sliders", model="mnist-vae-16d")
    control = app.segmented_control(key="sliders_rows")
    control.set_value("principal").run()
    codes = store.Store().read_map("mnist-vae-16d").codes
    variances = np.linalg.eigvalsh(np.cov(codes.T))[::-1]
    props = grid(app, "traversals")
    np.testing.assert_allclose(shares(props), (variances / variances.sum())[:8], rtol=0.06)

    app.segmented_control(key="sliders_rows").set_value("local").run()
    model, z = vae.load("mnist-vae-16d"), np.array(app.session_state.z, np.float32)
    change = latent.local_directions(lambda zs: model.decode(torch.from_numpy(zs)).detach().numpy(), z).shares
    np.testing.assert_allclose(shares(grid(app, "traversals")), change[:8], rtol=0.06)
    # the image after the middle one of the first row is further along the direction, and becomes the current code
    emit(app, "sliders_strips", "pick", 5)
    moved = np.array(app.session_state.z) - z
    first = latent.local_directions(lambda zs: model.decode(torch.from_numpy(zs)).detach().numpy(), z).axes[0]
    assert abs(moved @ first) / np.linalg.norm(moved) > 0.999


@pytest.mark.parametrize("name", ["mnist-ladder", "glyphs-cvae", "mnist-ae-2d"])
def test_every_kind_of_row_with_levels_classes_and_point_codes(name):
    for kind in ("principal", "local"):
        app = start("sliders", model=name, sliders_rows=kind)
        found = shares(grid(app, "traversals"))
        assert found == sorted(found, reverse=True) and 0.3 < sum(found) <= 1.03


def test_a_locked_dimension_stays_in_rows_along_directions():
    app = start("sliders", model="mnist-vae-2d", sliders_rows="principal")
    emit(app, "live_panel", "lock", {"model": "mnist-vae-2d", "index": 1, "locked": True})
    before = list(app.session_state.z)
    emit(app, "sliders_strips", "pick", 8)
    assert app.session_state.z[1] == before[1] and app.session_state.z[0] != before[0]


def test_the_direction_between_two_groups_of_the_map():
    app = start("map", model="mnist-vae-16d")
    (shown,) = [data for data in components(app).values() if "layout" in data]
    codes = store.Store().read_map("mnist-vae-16d").codes
    first, second = list(range(40)), list(range(30, 90))

    def select(indices):
        sent = {"model": "mnist-vae-16d", "collection": shown["collection"], "indices": indices}
        emit(app, "scatter", "lasso", sent)
        assert not app.exception

    select(first)
    app.button(key="map_selection_keep").click().run()
    assert any("This is the first group" in c.value for c in app.caption)
    select(second)
    assert any("the 30 images kept before that are not selected now" in c.value for c in app.caption)
    z = np.array(app.session_state.z)
    np.testing.assert_allclose(z, codes[second].mean(0), atol=1e-4)
    emit(app, "map_selection_walk", "pick", 4)  # 1 time the direction; the ten images of both groups count as selected
    np.testing.assert_allclose(
        np.array(app.session_state.z) - z, codes[second].mean(0) - codes[:30].mean(0), atol=1e-4
    )
    app.button(key="map_selection_all").click().run()
    assert any("the mean code of the others" in c.value for c in app.caption)

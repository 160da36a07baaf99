"""The map's page without a browser: every layout, uploads good and bad, the worker that fits."""

import io
import json
import os
import re
import signal

import numpy as np
import pytest
from PIL import Image

import vae
from pages.components.map import scatter
from pages.components.widgets import collection
from vae import jobs, store
from vae.data import DATASETS, pictures
from vae.latent import own_map

from ..unit.data.own.images import zipped
from .events import send_picture
from .test_pages import components, png, start


def the_map(app):
    return next(data for data in components(app).values() if "layout" in data)


def upload(app, *files):
    mime = {"png": "image/png", "zip": "application/zip"}
    app.file_uploader(key="map_files").set_value(
        [(name, content, mime[name[-3:]]) for name, content in files]
    ).run()
    assert not app.exception, app.exception
    return app


def digits(n):
    x, _ = DATASETS["mnist"].load("test").batch(range(n))
    return [(f"{i}.png", png(pictures.to_image(p))) for i, p in enumerate(pictures.to_uint8(x))]


# the plane itself, a grid of codes, classes, levels, a flow; test_pages.py opens the map of every family
@pytest.mark.parametrize("name", ["mnist-vae-2d", "mnist-vqvae", "glyphs-cvae", "mnist-ladder", "mnist-iaf"])
def test_every_layout_and_colouring(name):
    app = start("map", model=name)
    found = store.Store().read_map(name)
    kinds = ["umap_again", "pca", "umap"] + ["dims"] * (not vae.load(name).discrete)
    for kind in kinds:
        (control,) = [c for c in app.segmented_control if str(c.key).startswith("map_kind")]
        assert len(control.options) == len(kinds)
        control.set_value(kind).run()
        assert not app.exception, app.exception
        data = the_map(app)
        key = data["layout"]["key"]
        if not key.startswith("dims"):
            trust = vae.load(name).card.map["trustworthiness"][key]
            assert f" {trust:.3f}, where 1 means no false neighbours" in " ".join(
                c.value for c in app.caption
            )
            # the current point is a held-out image's: it lies on its own place
            (begun,) = np.flatnonzero(found.rows == DATASETS[vae.load(name).card.data].start)
            np.testing.assert_allclose(data["current"], getattr(found, key)[begun], atol=2e-2)
    colours = next(s for s in app.selectbox if str(s.key).startswith("map_colour"))
    colours.set_value(colours.options[-1].removeprefix("Colour: ")).run()
    assert not app.exception and the_map(app)["colouring"]["kind"] == "value"


def test_near_here_is_measured_in_latent_space_or_on_the_map():
    app = start("map", model="mnist-vae-16d")
    found = store.Store().read_map("mnist-vae-16d")
    z = np.array(app.session_state.z)
    nearest = np.argsort(np.linalg.norm(found.codes - z, axis=1))[:8]
    assert set(the_map(app)["near"]) == set(nearest.tolist())
    app.segmented_control(key="map_nearest_where").set_value("on this map").run()
    on_map = np.argsort(np.linalg.norm(found.umap - found.umap[nearest[0]], axis=1))[:8]
    assert set(the_map(app)["near"]) == set(on_map.tolist())
    both = len(set(nearest.tolist()) & set(on_map.tolist()))
    assert any(f"{both} of the 8 nearest in latent space" in c.value for c in app.caption)


def test_a_few_images_are_placed_and_foreign_ones_flagged():
    noise = np.random.default_rng(0).integers(0, 255, (28, 28), np.uint8)
    app = upload(start("map", model="mnist-vae-16d"), *digits(2), ("noise.png", png(Image.fromarray(noise))))
    found = store.Store().read_map("mnist-vae-16d")
    np.testing.assert_allclose(app.session_state.z, found.codes[0], atol=2e-4)  # the first is the current point
    words = [m.value for m in app.markdown]
    assert any(w.startswith("**0.png**: excess reconstruction error of ") for w in words)
    unusual = "**noise.png**: **unusually high** excess reconstruction error of "
    assert any(w.startswith(unusual) and "99 %" in w for w in words)
    np.testing.assert_allclose([m["place"] for m in the_map(app)["marks"][:2]], found.umap[:2], atol=1e-3)
    assert any("needs 5 images or more" in c.value for c in app.caption)
    assert not [b for b in app.button if b.key == "map_fit"]


def test_map_and_remark_agree_on_what_is_unusual():
    """Black and white pixels have no entropy: by the cross-entropy alone such an image would seem easy."""
    x, _ = DATASETS["mnist"].load("test").batch(range(40))
    for i in (0, 18, 33):
        pixels = ((x[i] > 0.5) * 255).numpy().astype(np.uint8)
        app = send_picture(start("map", model="mnist-vae-16d"), "map_image", pixels)
        (remark,) = [data["remark"] for data in components(app).values() if "remark" in data]
        (verdict,) = [m.value for m in app.markdown if m.value.startswith("**Your picture**")]
        assert ("unusually high" in verdict) == remark.startswith("Unusually high")
        shares = [re.search(r"(all|\d+ % of) test images", text)[1] for text in (verdict, remark)]
        assert shares[0] == shares[1]


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("bomb.zip", zipped([(f"{i}.png", bytes(9_900_000)) for i in range(5)]), "have more than 40 MB"),
        ("none.zip", zipped([("a.txt", b"x")]), "holds no PNG"),
        ("cut.zip", zipped([("a.png", b"x")])[:-20], "damaged"),
        ("many.zip", zipped([(f"{i}.png", b"x") for i in range(3000)]), "first 2,000 images are used; 1,000"),
        ("mixed.zip", zipped([("deep/er/a.png", digits(1)[0][1]), ("b.doc", b"x")]), "1 other file was left out"),
        ("broken.png", b"not an image", "not a PNG"),
        ("large.png", png(Image.new("1", (4000, 4000))), "megapixels"),
    ],
    ids=["bomb", "none", "cut", "many", "mixed", "broken", "large"],  # a zip knows the time of day
)  # fmt: skip
def test_bad_uploads_get_a_sentence_and_the_map_stands(name, content, said):
    app = upload(start("map", model="mnist-vae-2d"), (name, content))
    assert any(said in warning.value for warning in app.warning), [w.value for w in app.warning]
    assert the_map(app)


def test_a_crash_of_the_worker_is_reported_and_survived():
    app = upload(start("map", model="mnist-vae-2d"), *digits(6))
    app.button(key="map_fit").click().run()
    job = app.session_state.map_job
    assert job.alive and [b for b in app.button if b.key == "map_fit_cancel"]
    os.kill(job.process.pid, signal.SIGKILL)
    job.process.wait()
    app.run()
    assert not app.exception
    assert any("ended without a result" in w.value for w in app.warning)
    assert the_map(app) and "map_job" not in app.session_state
    assert [b for b in app.button if b.key == "map_fit"]  # and can be tried again


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize(
    "limit, value, said",
    [("TIME_LIMIT", 0.5, "it took longer than 0.5 seconds"), ("MEMORY_LIMIT", 2**28, "it needed more than 0.25 GB")],
    ids=["time", "memory"],
)
def test_a_fit_beyond_a_limit_is_reported_and_survived(monkeypatch, windows, limit, value, said):
    monkeypatch.setattr(jobs, "WINDOWS", windows)
    monkeypatch.setattr(own_map, limit, value)
    app = upload(start("map", model="mnist-vae-2d"), *digits(6))
    app.button(key="map_fit").click().run()
    if "map_job" in app.session_state:  # the run of the click may have outlived the job
        app.session_state.map_job.process.wait(30)
        app.run()
    assert not app.exception and any(f"The map fit was stopped: {said}" in w.value for w in app.warning)
    assert the_map(app) and [b for b in app.button if b.key == "map_fit"]


def test_cancel_ends_the_process_and_two_sessions_have_a_fit_each():
    one, two = (upload(start("map", model="mnist-vae-2d"), *digits(n)) for n in (5, 6))
    for app in (one, two):
        app.button(key="map_fit").click().run()
    job, other = one.session_state.map_job, two.session_state.map_job
    assert job.folder != other.folder and job.process.pid != other.process.pid
    one.button(key="map_fit_cancel").click().run()
    assert not one.exception and "map_job" not in one.session_state and the_map(one)
    assert not job.alive and not job.folder.exists()
    assert other.alive and other.folder.exists()
    two.button(key="map_fit_cancel").click().run()
    assert not other.alive and [b for b in two.button if b.key == "map_fit"]


def test_others_fitting_is_no_crash(monkeypatch):
    monkeypatch.setattr("vae.latent.own_map.MAX_JOBS", 0)
    app = upload(start("map", model="mnist-vae-2d"), *digits(5))
    app.button(key="map_fit").click().run()
    assert not app.exception and any("try again in a minute" in w.value for w in app.warning)


def test_what_the_browser_gets_of_a_collection():
    shown = collection.from_test_images("mnist-vae-2d")
    message = collection.points_message(shown)
    size = int.from_bytes(message[:4], "little")
    header, payload = json.loads(message[4 : 4 + size]), message[4 + size :]
    n = header["n"]
    assert (n, header["dims"], header["layouts"]) == (5000, 2, ["umap", "umap_again", "pca"])
    floats = np.frombuffer(payload[: 4 * n * 9], np.float32)
    np.testing.assert_array_equal(floats[: 2 * n].reshape(n, 2), shown.encoded.codes)
    np.testing.assert_array_equal(floats[2 * n : 3 * n], shown.encoded.recon)
    np.testing.assert_array_equal(floats[5 * n : 7 * n].reshape(n, 2), shown.encoded.umap_again)
    labels = np.frombuffer(payload[4 * n * 9 :], np.uint16)
    np.testing.assert_array_equal(labels, np.tile(shown.labels, 2))
    message = collection.sheet_message(shown)
    size = int.from_bytes(message[:4], "little")
    header = json.loads(message[4 : 4 + size])
    sheet = np.asarray(Image.open(io.BytesIO(message[4 + size :])).convert("L"), float)
    across, side = header["across"], header["width"]
    for i in (0, 70, 71, 4999):
        row, column = divmod(i, across)
        thumbnail = sheet[row * side : (row + 1) * side, column * side : (column + 1) * side]
        assert np.abs(thumbnail - 255 * shown.images(np.array([i]))[0, 0].numpy()).mean() < 12


def test_what_the_browser_sends_of_the_map_reaches_the_page_where_it_is_valid(monkeypatch):
    shown = collection.from_test_images("mnist-vae-2d")
    layout = collection.Layout("umap", "UMAP", shown.encoded.umap, 15)
    heard, reruns = [], []
    monkeypatch.setattr(scatter, "request_rerun", reruns.append)
    monkeypatch.setattr(scatter.state, "card", lambda: vae.load("mnist-vae-2d").card)

    def send(callback, **fields):
        sent = {"model": "mnist-vae-2d", "collection": shown.id, "layout": "umap", **fields}
        monkeypatch.setattr(scatter.messages, "sent", lambda key, event: sent)
        heard.clear(), reruns.clear()
        callback()
        return [part.tolist() if isinstance(part, np.ndarray) else part for part in heard]

    pick = lambda: scatter._picked(shown, layout, lambda *what: heard.extend(what))  # noqa: E731
    assert send(pick, index=4999) == [4999, None] and reruns == [scatter.KEY]
    assert send(pick, place=[1, 2.5]) == [None, [1.0, 2.5]]
    for wild in ({"index": 5000}, {"index": True}, {"place": [1, None]}, {"place": [1, 2.5], "layout": "pca"}, {}):
        assert send(pick, **wild) == []
    for stale in ({"model": "mnist-vae-16d"}, {"collection": "another"}):
        assert send(pick, index=1, **stale) == [] and not reruns
    lasso = lambda: scatter._lassoed(shown, heard.append)  # noqa: E731
    assert send(lasso, indices=[7, 3, 7, 5000, -1]) == [[3, 7]] and reruns == [scatter.KEY]
    assert send(lasso, indices=[]) == [[]]
    assert send(lasso, indices=[1, "2"]) == [] and not reruns
    path = lambda: scatter._path_drawn(shown, layout, heard.append)  # noqa: E731
    assert send(path, places=[[0, 0], [1, 2]]) == [[[0.0, 0.0], [1.0, 2.0]]] and reruns == [scatter.KEY]
    for wild in ([[0, 0]], [[0, 0]] * 301, [[0, 0], [1]], None):
        assert send(path, places=wild) == [] and not reruns

"""Every widget on a page of plain HTML: one file, no server, no Streamlit.

Props and messages are those that the app's pages send, so what the widgets decode comes from the shipped models.
"""

import base64
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect
from safetensors.torch import load, save

import vae
from pages.components.bridge import assets
from pages.components.match import panel as match_panel
from vae.browser.bundle import INCOMPLETE, bundle, inline

from ..app.test_pages import start
from . import picture_inputs
from .panel import until

HOST = Path(__file__).parent / "plain" / "host.js"
NAME = "mnist-vae-2d"
BETAS = ("mnist-ae-16d", "mnist-beta025", "mnist-vae-16d", "mnist-beta4", "mnist-beta16", "mnist-collapsed")
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Widgets</title>
<style>#betas {{ margin-block: 1500px }} /* out of view until a test scrolls there */</style></head>
<body>
{script}
<script type="application/json" id="data">{data}</script>
</body>
</html>
"""


def parts_of(app):
    """[(component, key, props)] of the widgets, {component: bytes} of the messages that a page sends."""
    sent = [element.proto for element in app.get("bidi_component")]
    widgets = [
        (p.component_name, p.id.rpartition("-")[2], json.loads(json.loads(p.json)["props"])) for p in sent if p.json
    ]
    return widgets, {p.component_name: p.bytes for p in sent if p.bytes}


def props_of(app, component, key=None):
    return next(props for name, at, props in parts_of(app)[0] if name == component and key in (at, None))


def embedded(files):
    """The files of a model, whose addresses are the app's, as addresses that hold their content."""
    found = {}
    for name, address in files.items():
        _, _, _, model, _, file = address.split("/")
        content = base64.b64encode(assets.model_file(model, file)).decode()
        found[name] = f"data:{assets.MODEL_FILES[file]};base64,{content}"
    return found


def damage_encoder(files):
    """Replace the first weights of a model's encoder by NaN."""
    kind, _, content = files["weights"].partition(",")
    tensors = load(base64.b64decode(content))
    tensors[next(name for name in tensors if name.startswith("encoder"))].fill_(torch.nan)
    files["weights"] = f"{kind},{base64.b64encode(save(tensors)).decode()}"


@pytest.fixture(scope="module")
def sent():
    """What the app's pages send to the browser: props by part, messages, answers to Inside."""
    sliders, maps = start("sliders", model=NAME, z="0.5,-0.5"), start("map", model=NAME)
    messages = parts_of(sliders)[1] | parts_of(maps)[1]
    seed = next(s for s in itertools.count() if match_panel.rounds("sprites", s)[0].model != match_panel.FACTORS)
    match = start("match", model="sprites-vae", seed=str(seed))
    parts = {
        "live_panel": ("live_panel", props_of(sliders, "live_panel")),
        "bars": ("bars", props_of(sliders, "bars")),
        "samples": ("picture_grid", props_of(start("sample", model=NAME), "picture_grid", "sample_grid")),
        "point_picture": ("point_picture", props_of(maps, "point_picture")),
        "interpolation": (
            "picture_grid", props_of(start("interpolate", model=NAME), "picture_grid", "interpolate_frames")
        ),
        "scatter": ("scatter", props_of(maps, "scatter")),
        "inside": ("inside", props_of(start("inside", model=NAME), "inside")),
        "autoencoder": ("autoencoder", props_of(start(model=NAME), "autoencoder")),
        "betas": ("betas", props_of(start("inside", model="mnist-vae-16d"), "betas")),
        "code_grid": ("code_grid", props_of(start("sliders", model="mnist-vqvae"), "code_grid")),
        "match": ("match", props_of(match, "match")),
        "heat_map": ("heat_map", props_of(start("disentangle", model="sprites-vae"), "heat_map")),
        "picture_input": ("picture_input", picture_inputs.props_of()),
    }  # fmt: skip
    for _, props in parts.values():
        for one in (props, *props.get("models", ())):
            if isinstance(one, dict) and one.get("files"):
                one["files"] = embedded(one["files"])
    damage_encoder(parts["betas"][1]["models"][2]["files"])
    return {
        "parts": {id: {"widget": widget, "props": props} for id, (widget, props) in parts.items()},
        "messages": [
            (name, base64.b64encode(content).decode())
            for name, content in messages.items()
        ],
        "match_model": match_panel.rounds("sprites", seed)[0].model,
    }  # fmt: skip


@pytest.fixture(scope="module")
def html(sent):
    data = {key: sent[key] for key in ("parts", "messages")}
    return PAGE.format(script=inline(bundle(HOST)), data=json.dumps(data).replace("</", "<\\/"))


@pytest.fixture(scope="module")
def plain(browser, html, tmp_path_factory):
    """The file, opened from the disk. It asks nothing of any machine and logs no error."""
    file = tmp_path_factory.mktemp("plain") / "widgets.html"
    file.write_text(html, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(10_000)
    faults = []
    page.on("console", lambda message: message.type == "error" and faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: request.url.startswith(("http", "ws")) and faults.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_function("() => document.getElementById('scatter').shadowRoot.scatter.points")
    yield page
    page.close()
    assert not faults


def emitted(page, part, event):
    """The values that a part has emitted with an event."""
    return page.evaluate(
        "([part, event]) => emitted.filter((one) => one[0] === part && one[1] === event).map((one) => one[2])",
        [part, event],
    )


def canvas(page, selector):
    """The pixels of a canvas, (H, W, 3)."""
    height, width, values = page.locator(selector).first.evaluate(
        "(c) => [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]]"
    )
    return np.array(values).reshape(height, width, 4)[:, :, :3]


def small(page, selector):
    """A large canvas, scaled to 48 x 48 pixels: (48, 48, 3)."""
    values = page.locator(selector).evaluate(
        "(c) => { const to = new OffscreenCanvas(48, 48).getContext('2d'); to.drawImage(c, 0, 0, 48, 48);"
        " return [...to.getImageData(0, 0, 48, 48).data] }"
    )
    return np.array(values).reshape(48, 48, 4)[:, :, :3]


def decoded(name, z):
    """What torch decodes, (H, W, C) from 0 to 255."""
    return vae.load(name).decode(torch.tensor([z], dtype=torch.float32))[0].permute(1, 2, 0).numpy() * 255


def drag(page, selector, start, end, steps=5):
    """Drag from one place of an element to another, in parts of its width and height."""
    element = page.locator(selector).first
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=steps)
    page.mouse.up()


def test_a_slider_and_the_pad_decode_in_the_page(plain, sent):
    until(plain, lambda: np.allclose(canvas(plain, "#live_panel canvas.picture"), decoded(NAME, [0.5, -0.5]), atol=1))
    for selector, *way in [("input[type=range]", (0.5, 0.5), (0.8, 0.5)), (".pad", (0.3, 0.3), (0.7, 0.6))]:
        before, n = canvas(plain, "#live_panel canvas.picture"), len(emitted(plain, "live_panel", "commit"))
        drag(plain, f"#live_panel {selector}", *way)
        until(plain, lambda: len(emitted(plain, "live_panel", "commit")) > n)  # noqa: B023
        commit = emitted(plain, "live_panel", "commit")[-1]
        assert commit["model"] == NAME and commit["z"] != [0.5, -0.5]
        plain.mouse.move(2, 2)  # off the pad, which previews
        echo = {"panel": commit["panel"], "commit": commit["commit"]}
        props = {**sent["parts"]["live_panel"]["props"], "z": commit["z"], "version": f"after {n}", "echo": echo}
        plain.evaluate("(props) => handles.live_panel.update(props)", props)
        shown = canvas(plain, "#live_panel canvas.picture")
        np.testing.assert_allclose(shown, np.broadcast_to(decoded(NAME, commit["z"]), shown.shape), atol=1)
        assert np.abs(shown - before).max() > 20
    assert "in your browser" in plain.locator("#live_panel .line").inner_text()


def test_a_slider_plays_until_it_is_stopped_and_its_animation_is_saved(plain, sent):
    props = sent["parts"]["live_panel"]["props"]
    slider, play = plain.locator("#live_panel input[type=range]").first, plain.locator("#live_panel .play").first
    d, n = int(slider.get_attribute("data-dim")), len(emitted(plain, "live_panel", "commit"))
    z = plain.evaluate("() => [...document.getElementById('live_panel').shadowRoot.panel.z]")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    for _ in range(2):  # it goes on moving, and the picture with it
        before, shown = slider.input_value(), canvas(plain, "#live_panel canvas.picture")
        until(plain, lambda: slider.input_value() != before)  # noqa: B023
        until(plain, lambda: np.abs(canvas(plain, "#live_panel canvas.picture") - shown).max() > 5)  # noqa: B023
    assert len(emitted(plain, "live_panel", "commit")) == n
    play.click()
    until(plain, lambda: len(emitted(plain, "live_panel", "commit")) == n + 1)
    stopped = emitted(plain, "live_panel", "commit")[-1]["z"]
    assert [k for k in range(2) if abs(stopped[k] - z[k]) > 1e-6] == [d]
    dim = next(dim for dim in props["dims"] if dim["index"] == d)
    low, high = (dim["low"] + part * (dim["high"] - dim["low"]) for part in (0.5 / 7, 6.5 / 7))
    assert low - 1e-6 <= stopped[d] <= high + 1e-6 and float(slider.input_value()) == pytest.approx(stopped[d])
    with plain.expect_download() as download:
        plain.locator("#live_panel .gif").first.click()
    assert download.value.suggested_filename == f"{NAME}-z{d}.gif"
    with Image.open(download.value.path()) as image:
        assert image.size == (280, 280) and image.n_frames == 46 and image.info["loop"] == 0
        assert image.info["comment"].decode() == props["licence"] and "CC BY-SA 3.0" in props["licence"]
        for frame, value in [(0, low), (23, high)]:
            image.seek(frame)
            expected = decoded(NAME, [value if k == d else stopped[k] for k in range(2)])[:, :, 0]
            np.testing.assert_allclose(np.asarray(image.convert("L"))[::10, ::10], expected, atol=1)


def test_the_picture_of_a_point_follows_its_props(plain, sent):
    props = sent["parts"]["point_picture"]["props"]
    for z in (props["z"], [1.5, -1.0]):
        plain.evaluate("(props) => handles.point_picture.update(props)", {**props, "z": z})
        shown = canvas(plain, "#point_picture canvas")
        np.testing.assert_allclose(shown, np.broadcast_to(decoded(NAME, z), shown.shape), atol=1)
    assert plain.locator("#point_picture figcaption").inner_text() == props["caption"]
    reason = {**props, "weights": "another", "files": {"reason": "it samples random numbers"}}
    plain.evaluate("(props) => handles.point_picture.update(props)", reason)
    said = "The browser cannot decode this model: it samples random numbers"
    expect(plain.locator("#point_picture figcaption")).to_have_text(said)
    plain.evaluate("(props) => handles.point_picture.update(props)", props)


@pytest.mark.parametrize("part", ["samples", "interpolation"])
def test_a_picture_is_picked_from_a_grid_and_from_an_interpolation(plain, sent, part):
    cell = plain.locator(f"#{part} button.cell").nth(2)
    cell.click()
    assert emitted(plain, part, "pick") == [2]
    props = sent["parts"][part]["props"]
    plain.evaluate("([part, props]) => handles[part].update(props)", [part, {**props, "selected": 2}])
    expect(cell).to_have_class("cell selected")
    assert cell.locator(".picture").bounding_box()["width"] > 20
    if part == "interpolation":  # the steps stand in one row
        tops = {plain.locator(f"#{part} button.cell").nth(i).bounding_box()["y"] for i in range(props["n"])}
        assert props["n"] == props["columns"] and len(tops) == 1


def test_the_map_is_dragged_and_a_point_of_it_picked(plain):
    plain.locator("#scatter .stage").scroll_into_view_if_needed()
    plain.locator("#scatter canvas.dots[data-drawn]").wait_for()
    before = small(plain, "#scatter canvas.dots")
    assert np.ptp(before) > 50  # dots on their ground
    drag(plain, "#scatter canvas.over", (0.5, 0.5), (0.6, 0.6))
    until(plain, lambda: np.abs(small(plain, "#scatter canvas.dots") - before).max() > 50)
    assert not emitted(plain, "scatter", "pick")
    box = plain.locator("#scatter canvas.over").bounding_box()
    place = box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.55
    plain.mouse.move(*place)
    z = [float(v) for v in plain.locator("#scatter .here canvas").get_attribute("data-z").split(",")]
    here = canvas(plain, "#scatter .here canvas")
    np.testing.assert_allclose(here, np.broadcast_to(decoded(NAME, z), here.shape), atol=1)
    plain.mouse.click(*place)
    (pick,) = emitted(plain, "scatter", "pick")
    assert pick["model"] == NAME and (pick.get("index") is not None) != (pick.get("place") is not None)


def test_inside_computes_the_forward_pass(plain, sent):
    plain.locator("#inside canvas.pad[data-passes]").wait_for()
    before = canvas(plain, "#inside canvas.x_hat")
    assert before.shape[:2] == (28, 28) and before.max() > 100
    drag(plain, "#inside svg.posterior", (0.5, 0.5), (0.7, 0.4))
    until(plain, lambda: np.abs(canvas(plain, "#inside canvas.x_hat") - before).max() > 5)
    plain.locator("#inside .take").click()
    (take,) = emitted(plain, "inside", "take")
    assert take["model"] == NAME
    shown = canvas(plain, "#inside canvas.x_hat")
    np.testing.assert_allclose(shown, np.broadcast_to(decoded(NAME, take["z"]), shown.shape), atol=1)
    # the image of the props in place of the drawing
    x = vae.data.DATASETS["mnist"].load("test").render(np.array([7]))
    props = {**sent["parts"]["inside"]["props"], "drawing": False, "source": "7", "x": base64.b64encode(x).decode()}
    plain.evaluate("(props) => handles.inside.update(props)", props)
    until(plain, lambda: (canvas(plain, "#inside canvas.x")[:, :, 0] == x[0, 0]).all())
    mu = plain.evaluate("[...document.getElementById('inside').shadowRoot.inside.pass.mu]")
    model = vae.load(NAME)
    np.testing.assert_allclose(mu, model.encode(torch.from_numpy(x).float() / 255).mean[0].detach(), atol=1e-4)


def autoencoder(page, what):
    """A list of numbers of the widget: "z", or "q.mu"."""
    return page.evaluate(f"[...document.getElementById('autoencoder').shadowRoot.autoencoder.{what}]")


def test_an_image_is_drawn_or_picked_encoded_and_decoded_at_any_z(plain, sent):
    props, model = sent["parts"]["autoencoder"]["props"], vae.load(NAME)
    plain.locator("#autoencoder .frame").first.scroll_into_view_if_needed()
    until(plain, lambda: canvas(plain, "#autoencoder canvas.x_hat").shape == (28, 28, 3))
    shows = lambda: np.broadcast_to(decoded(NAME, autoencoder(plain, "z")), (28, 28, 3))  # noqa: E731
    assert autoencoder(plain, "z") == pytest.approx(props["z"])
    np.testing.assert_allclose(canvas(plain, "#autoencoder canvas.x_hat"), shows(), atol=1)
    # another test image: its code is the posterior's mean
    for _ in range(3):
        plain.locator("#autoencoder .another").click()
    x = np.frombuffer(base64.b64decode(props["images"][3]["x"]), np.uint8).reshape(1, 1, 28, 28)
    mu = model.encode(torch.from_numpy(x / np.float32(255))).mean[0].tolist()
    assert autoencoder(plain, "z") == pytest.approx(mu, abs=1e-4)
    np.testing.assert_allclose(canvas(plain, "#autoencoder canvas.x_hat"), shows(), atol=1)
    ellipse = plain.locator("#autoencoder ellipse.sigma1")
    assert [float(ellipse.get_attribute("cx")), -float(ellipse.get_attribute("cy"))] == pytest.approx(mu, abs=1e-4)
    # the hand moves z, and q(z|x) stays
    drag(plain, "#autoencoder .plane", (0.5, 0.5), (0.8, 0.3))
    plane = "document.getElementById('autoencoder').shadowRoot.autoencoder.plane"
    low, span = plain.evaluate(f"(({{ low, span }}) => [low, span])({plane})")
    there = pytest.approx([low[0] + 0.8 * span, low[1] + 0.7 * span], abs=0.05)
    until(plain, lambda: autoencoder(plain, "z") == there)
    until(plain, lambda: np.abs(canvas(plain, "#autoencoder canvas.x_hat") - shows()).max() <= 1)
    assert autoencoder(plain, "q.mu") == pytest.approx(mu, abs=1e-4)
    before = autoencoder(plain, "z")
    plain.locator("#autoencoder .plane").focus()
    plain.keyboard.press("ArrowLeft")
    until(plain, lambda: autoencoder(plain, "z") == pytest.approx([before[0] - 0.02 * span, before[1]]))
    # a drawing in place of the image: the button empties the pad, a stroke fills it
    plain.locator("#autoencoder .draw").click()
    until(plain, lambda: not canvas(plain, "#autoencoder canvas.x").any())
    drag(plain, "#autoencoder canvas.pad", (0.5, 0.2), (0.5, 0.8))
    until(plain, lambda: np.allclose(autoencoder(plain, "z"), autoencoder(plain, "q.mu")))
    x = canvas(plain, "#autoencoder canvas.x")[:, :, 0]
    assert x.max() > 200 and x[:, 13:15].mean() > 5 * x.mean()
    assert autoencoder(plain, "q.mu") != pytest.approx(mu, abs=0.1)
    plain.locator("#autoencoder .prior").click()
    z = autoencoder(plain, "z")
    assert z != autoencoder(plain, "q.mu")
    plain.locator("#autoencoder .open").click()
    assert emitted(plain, "autoencoder", "open") == [{"model": NAME, "z": z, "y": 0}]


def test_other_betas_are_fetched_when_they_come_into_view(plain, sent):
    """The image that goes through the other widget, under models of each beta: the third one's encoder is damaged."""
    props = sent["parts"]["betas"]["props"]
    x = vae.data.DATASETS["mnist"].load("test").render(np.array([3])) / np.float32(255)
    plain.evaluate("() => scrollTo(0, 0)")
    networks = "() => document.getElementById('betas').shadowRoot.betas.networks"
    assert plain.evaluate(networks) == [None] * len(BETAS)
    plain.evaluate(
        "([x, model]) => { mailbox.memory.set('inside', { model, x });"
        " mailbox.news.dispatchEvent(new Event('inside')) }",
        [x.flatten().tolist(), props["model"]],
    )
    plain.locator("#betas").scroll_into_view_if_needed()
    terms = plain.locator("#betas .terms")
    until(plain, lambda: all(terms.all_inner_texts()))
    assert terms.nth(2).inner_text() == props["no_number"]
    assert plain.locator("#betas canvas").nth(2).evaluate(
        "(c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.every((v) => v === 0)"
    )
    for i, name in enumerate(BETAS):
        if i == 2:
            continue
        model = vae.load(name)
        out = model(torch.from_numpy(x))
        mean = model.encode(torch.from_numpy(x)).mean
        recon = -float(model.likelihood(mean).log_prob(torch.from_numpy(x)))
        rate = f"KL {float(vae.objectives.elbo(out, torch.from_numpy(x)).kl):.1f}" if model.has_elbo else "no KL"
        assert terms.nth(i).inner_text() == f"{rate}, reconstruction error {recon:.1f} nats"
        shown = canvas(plain, f"#betas figure:nth-child({i + 1}) canvas")
        np.testing.assert_allclose(shown, np.broadcast_to(decoded(name, mean[0].tolist()), shown.shape), atol=1)


def test_a_drag_chooses_places_of_the_code_grid(plain, sent):
    props = sent["parts"]["code_grid"]["props"]
    first = plain.locator("#code_grid .places button").first
    assert canvas(plain, "#code_grid canvas").std() > 10 and first.get_attribute("aria-pressed") == "false"
    drag(plain, "#code_grid .places", (0.02, 0.02), (0.98, 0.02), steps=20)
    until(plain, lambda: len(emitted(plain, "code_grid", "chosen")) == 1)
    (chosen,) = emitted(plain, "code_grid", "chosen")
    assert chosen == {"places": sorted({*range(props["columns"]), *props["places"]}), "number": 1}
    assert first.get_attribute("aria-pressed") == "true"
    before = canvas(plain, "#code_grid canvas")
    other = sent["parts"]["samples"]["props"]["sheet"]
    plain.evaluate("(props) => handles.code_grid.update(props)", {**props, **chosen, "echo": 1, "picture": other})
    until(plain, lambda: canvas(plain, "#code_grid canvas").shape != before.shape)


def test_a_round_of_match_is_scored_in_the_page(plain, sent):
    score = lambda: float(plain.locator("#match canvas.yours").get_attribute("data-score"))  # noqa: E731
    assert score() == 0
    before = canvas(plain, "#match canvas.yours")
    drag(plain, "#match input[type=range]", (0.5, 0.5), (0.9, 0.5))
    until(plain, lambda: np.abs(canvas(plain, "#match canvas.yours") - before).max() > 5)
    plain.locator("#match .done").click()
    (finished,) = emitted(plain, "match", "finished")
    props = sent["parts"]["match"]["props"]
    assert finished["round"] == props["round"] and finished["moves"] == 1 and finished["seconds"] > 0
    shown = canvas(plain, "#match canvas.yours")
    expected = decoded(sent["match_model"], finished["z"])
    np.testing.assert_allclose(shown, np.broadcast_to(expected, shown.shape), atol=1)


def test_a_cell_of_the_heat_map_is_picked(plain, sent):
    props = sent["parts"]["heat_map"]["props"]
    row, column = 0 if props["selected"][0] else 1, 1
    cell = plain.locator("#heat_map button").nth(row * len(props["columns"]) + column)
    assert cell.evaluate("(button) => getComputedStyle(button).backgroundColor") != "rgba(0, 0, 0, 0)"
    cell.click()
    assert emitted(plain, "heat_map", "pick") == [row * len(props["columns"]) + column]
    plain.evaluate("(props) => handles.heat_map.update(props)", {**props, "selected": [row, column]})
    expect(cell).to_have_class("cell chosen")


def test_a_drawing_is_prepared_in_the_page(plain):
    picture_inputs.tab(plain, "Draw", "picture_input")
    picture_inputs.draw(plain, [(0.5, 0.2), (0.5, 0.8)], "picture_input")
    assert picture_inputs.is_upright(picture_inputs.decoded(picture_inputs.next_own(plain, 1, "picture_input")))


STYLE = "(e) => { const { backgroundColor, outlineStyle, color } = getComputedStyle(e); return [backgroundColor, outlineStyle, color] }"  # noqa: E501


def test_forced_colours_leave_pressed_buttons_and_bars_to_be_told_apart(plain):
    """Windows' contrast themes replace every colour by one of a few."""
    plain.emulate_media(forced_colors="active")
    picture_inputs.tab(plain, "Draw", "picture_input")
    for part, state, on, off in [
        ("live_panel", "aria-pressed", ".lock", ".lock"), ("picture_input", "aria-selected", "#tab-draw", "#tab-test"),
        ("code_grid", "aria-pressed", "button[aria-pressed=true]", "button[aria-pressed=false]"),
        ("heat_map", "aria-current", ".chosen", "button:not(.chosen)"),
    ]:  # fmt: skip
        pressed, other = plain.locator(f"#{part} {on}").first, plain.locator(f"#{part} {off}").last
        if part == "live_panel":
            pressed.click()
        assert pressed.get_attribute(state) == "true" != other.get_attribute(state), part
        assert pressed.evaluate(STYLE) != other.evaluate(STYLE), part
    plain.locator("#live_panel .lock").first.click()
    ground = plain.evaluate("() => getComputedStyle(document.body).backgroundColor")
    for bar in (".bar", ".mark"):
        colour = plain.locator(f"#bars {bar}").first.evaluate("(e) => getComputedStyle(e).backgroundColor")
        assert colour not in (ground, "rgba(0, 0, 0, 0)", "rgb(0, 0, 0)")
    plain.emulate_media(forced_colors="none")


def test_paper_has_pictures_and_text_and_no_controls(plain):
    plain.emulate_media(media="print")
    for selector in ("#live_panel canvas.picture", "#live_panel .name", "#samples .picture", "#bars .bar"):
        assert plain.locator(selector).first.is_visible(), selector
    for selector in ("#live_panel input[type=range]", "#live_panel .play", "#live_panel select", ".tabs"):
        assert not plain.locator(selector).first.is_visible(), selector
    plain.emulate_media(media="screen")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_legible_on_a_light_and_on_a_dark_page(plain, scheme):
    """Every widget's text against the page's ground, by the contrast of WCAG."""
    plain.emulate_media(color_scheme=scheme)
    for part, selector in [
        ("live_panel", ".line"), ("samples", ".note"), ("scatter", ".legend"), ("inside", "h2"), ("match", ".score"),
        ("heat_map", "th"), ("picture_input", ".sent"),
    ]:  # fmt: skip
        colours = plain.locator(f"#{part} {selector}").first.evaluate(
            "(e) => { const c = new OffscreenCanvas(1, 1).getContext('2d');"
            " const paint = (colour) => { c.fillStyle = colour; c.fillRect(0, 0, 1, 1);"
            " return [...c.getImageData(0, 0, 1, 1).data] };"
            " document.documentElement.style.background = 'Canvas';"
            " return [e, document.documentElement].map((one, i) =>"
            " paint(getComputedStyle(one)[i ? 'backgroundColor' : 'color'])) }"
        )
        text, ground = (luminance(colour[:3]) for colour in colours)
        assert (ground > 0.5) == (scheme == "light")
        assert (max(text, ground) + 0.05) / (min(text, ground) + 0.05) > 4.5, (part, colours)
    # what stands on canvases follows the scheme too
    until(plain, lambda: (small(plain, "#scatter canvas.dots").mean() > 128) == (scheme == "light"))


def luminance(rgb):
    """The relative luminance of an sRGB colour, 0 to 255 each."""
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in np.array(rgb) / 255]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_a_destroyed_widget_leaves_nothing_and_can_be_mounted_again(browser, html, tmp_path):
    file = tmp_path / "widgets.html"
    file.write_text(html, encoding="utf-8")
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_function("() => document.getElementById('scatter').shadowRoot.scatter.points")
    left = page.evaluate(
        "() => { for (const handle of Object.values(handles)) handle.destroy();"
        " return Object.keys(handles).map((id) => document.getElementById(id).shadowRoot.childElementCount) }"
    )
    assert left == [0] * len(left) and len(left) == 13
    page.mouse.move(300, 300)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_timeout(500)  # timers that were left would fire
    assert not errors and not [one for one in page.evaluate("emitted") if one[1] != "painted"]
    page.close()


def test_a_page_that_is_cut_short_says_so(browser, html, tmp_path):
    """In the middle of the script, in the middle of the data, and near the end of both."""
    page = browser.new_page()
    file = tmp_path / "widgets.html"
    script, data = html.index("bundled_0"), html.index('id="data"')
    cuts = [(script + data) // 2, data - 80, (data + len(html)) // 2, len(html) - 40]
    for content, is_whole in [(html, True), *((html[:cut], False) for cut in cuts)]:
        file.write_text(content, encoding="utf-8")
        page.goto(file.as_uri())
        sentence = page.get_by_text(INCOMPLETE)
        assert sentence.is_visible() != is_whole
    page.close()


def test_a_script_that_fails_says_why(browser, tmp_path):
    entry = tmp_path / "entry.js"
    entry.write_text("nothing.of.this.name();\n", encoding="utf-8")
    file = tmp_path / "page.html"
    file.write_text(PAGE.format(script=inline(bundle(entry)), data="{}"), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    expect(page.get_by_role("alert")).to_contain_text("nothing is not defined")
    page.close()

"""vae.explore in a browser: the widget of a notebook cell, its frame, and the film of vae.watch."""

import base64
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import vae
from tests import foreign_models
from vae import notebook
from vae.latent import maps

# a page that stands for a notebook's front end: traits and messages go to the Python widget and come back
CELL = Path(__file__).parent / "plain" / "cell.html"


def explorer_of(name, **options):
    model, images = foreign_models.build(name)
    return vae.explore(model, images, [i % 3 for i in range(len(images))], **options)


@pytest.fixture(scope="module", params=["tuple_output", "unknown_layer"])
def explorer(request):
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(maps, "fit_umap", lambda codes, *_: np.asarray(codes[:, :2], np.float32))
        found = explorer_of(request.param, title="My networks")
        assert found.store
        yield found


class Cell:
    """A widget in a page, connected with its Python side."""

    def __init__(self, page, widget, traits):
        self.page, self.widget, self.messages = page, widget, []
        self.errors = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.expose_function("toPython", self.receive)
        widget.send = lambda content, buffers=None: self.messages.append((content, buffers or []))
        values = {name: getattr(widget, name) for name in traits}
        if "content" in values:
            values["content"] = base64.b64encode(values["content"]).decode()
        esm = json.dumps(widget._esm).replace("</script", "<\\/script")
        html = CELL.read_text(encoding="utf-8").replace("ESM", esm, 1)
        page.set_content(html.replace("TRAITS", json.dumps(values).replace("</script", "<\\/script"), 1))
        page.wait_for_function("() => window.ready", timeout=60_000)

    def receive(self, kind, value):
        if kind == "state":
            self.widget.set_state(value)
        else:
            self.widget._handle_custom_msg(value, [])

    def deliver(self):
        """Send what Python has answered to the page."""
        while self.messages:
            content, buffers = self.messages.pop(0)
            texts = [base64.b64encode(part).decode() for part in buffers]
            self.page.evaluate("([content, buffers]) => receive(content, buffers)", [content, texts])

    def set(self, name, value):
        self.page.evaluate("([name, value]) => setTrait(name, value)", [name, value])


@pytest.fixture
def cell(browser, explorer):
    x, _ = explorer.info.load("test").batch([explorer.info.start])
    explorer.z, explorer.selection = explorer.model.encode(x).mean[0], []  # inside every slider's range
    context = browser.new_context(viewport={"width": 1100, "height": 900}, offline=True)
    found = Cell(context.new_page(), explorer.widget, ("content", "place", "z", "selection"))
    yield found
    context.close()
    assert not found.errors


PICTURE = """() => {
  const root = document.querySelector('#cell > div').shadowRoot;
  const panel = [...root.querySelectorAll('*')].find((e) => e.shadowRoot?.panel)?.shadowRoot.panel;
  const { canvas } = panel ?? {};
  const pixels = canvas?.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels && Array.from(pixels.filter((_, i) => i % 4 === 0));
}"""


def picture_at(cell, z):
    """Wait until the panel shows what Python decodes at z."""
    expected = np.rint(255 * cell.widget.explorer.decode(np.array([z], np.float32))[0, 0].numpy().ravel())
    found = None
    for _ in range(100):
        cell.deliver()
        found = cell.page.evaluate(PICTURE)
        if found and len(found) == len(expected) and np.abs(np.array(found) - expected).max() <= 2:
            return
        cell.page.wait_for_timeout(100)
    raise AssertionError(f"the picture is not that of z = {z}: {found and found[:10]}, not {expected[:10]}")


def test_z_set_from_python_moves_the_picture(cell, explorer):
    dims = explorer.model.latent_dim
    picture_at(cell, explorer.z)
    z = [1.5] + [-0.75] * (dims - 1)
    explorer.z = z
    cell.set("z", explorer.widget.z)  # as the comm does
    picture_at(cell, z)


@pytest.mark.slow
def test_a_cell_that_is_rendered_later_shows_what_python_has_set_since(browser, explorer):
    """As under Run all, where the next cells have run before the browser has drawn the widget."""
    assert explorer.widget.place  # made, at the first image's code
    z = [-1.25] + [0.5] * (explorer.model.latent_dim - 1)
    explorer.z, explorer.selection = z, [2, 7]
    with browser.new_context(viewport={"width": 1100, "height": 900}, offline=True) as context:
        cell = Cell(context.new_page(), explorer.widget, ("content", "place", "z", "selection"))
        picture_at(cell, z)
        cell.page.locator("nav a", has_text="Map").click()
        cell.page.locator("h3", has_text="Selected: 2 of 40 images").wait_for()
        assert explorer.z == pytest.approx(z) and explorer.selection.tolist() == [2, 7]


@pytest.mark.slow
def test_a_slider_moves_z_in_python(cell, explorer):
    before = explorer.z
    slider = cell.page.locator("#cell input[type=range]").first
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    for _ in range(100):
        if not np.allclose(explorer.z, before):
            break
        cell.page.wait_for_timeout(50)
    assert not np.allclose(explorer.z, before)
    picture_at(cell, explorer.z)


@pytest.mark.slow
def test_the_map_and_python_share_a_selection(cell, explorer):
    cell.page.locator("nav a", has_text="Map").click()
    cell.page.locator("h2", has_text="Map").wait_for()
    explorer.selection = [5, 3, 8]
    cell.set("selection", explorer.widget.selection)
    cell.page.locator("h3", has_text="Selected: 3 of 40 images").wait_for()
    cell.page.get_by_role("button", name="Clear").last.click()
    cell.page.locator("h3", has_text="Selected").wait_for(state="hidden")
    assert explorer.selection.tolist() == []


@pytest.mark.slow
@pytest.mark.parametrize("view", ["Sample", "Interpolate", "Map", "About", "Disentangle", "Inside", "Match"])
def test_every_view_is_shown_in_a_cell(cell, view):
    cell.page.locator("nav a", has_text=view).click()
    cell.page.locator("h2", has_text=view).wait_for()
    for _ in range(10):
        cell.deliver()
        cell.page.wait_for_timeout(50)
    assert not cell.page.locator("[role=alert]:visible", has_text="cannot be shown").count()


@pytest.mark.slow
def test_the_frame_works_without_a_widget(browser, explorer):
    if explorer.store.read_network(explorer.name)["not_portable"]:
        pytest.skip("no browser runs it")
    context = browser.new_context(offline=True)
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(notebook.frame(explorer.html()))
    frame = page.frame_locator("iframe")
    frame.locator("h2", has_text="Sliders").wait_for()
    frame.locator("nav a", has_text="Map").click()
    frame.locator("h2", has_text="Map").wait_for()
    context.close()
    assert not errors


@pytest.mark.slow
def test_the_film_of_a_training_grows_in_a_file_and_in_a_cell(browser, tmp_path):
    encoder, decoder = foreign_models.mlp(2)
    x = foreign_models.images(60)
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-2)
    path = tmp_path / "training.html"
    for step in range(60):
        loss = ((decoder(encoder(x)) - x) ** 2).sum((1, 2, 3)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 20 == 0:
            film = vae.watch((encoder, decoder), x, [i % 3 for i in range(60)], step=step, file=path, title="My loop")
    assert len(film.film.after(-1)) == 3 and encoder.training
    context = browser.new_context(offline=True)
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(Path(path).as_uri())
    page.locator("canvas.plane[data-step='40']").wait_for()
    assert not page.get_by_role("button", name="Start training").is_visible()
    cell = Cell(context.new_page(), notebook.widget_class("training")(film), ("props",))
    cell.page.locator("canvas.plane[data-step='40']").wait_for()
    vae.watch((encoder, decoder), x, step=60, file=path)
    cell.widget.props = film.props(after=40)
    cell.set("props", cell.widget.props)
    cell.page.locator("canvas.plane[data-step='60']").wait_for()
    context.close()
    assert not errors and not cell.errors


@pytest.mark.slow
def test_the_app_asks_python_and_says_when_it_has_ended(browser, explorer):
    if not explorer.store.read_network(explorer.name)["not_portable"]:
        pytest.skip("a browser runs it")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    with explorer.app(open_browser=False) as app:
        page.goto(app.link)
        page.get_by_text("decoded on the server").wait_for(timeout=120_000)
        app._server.close()
        page.goto(f"{app.address}/compare?model={explorer.name}")
        page.get_by_text("The Python process of this model has ended").first.wait_for(timeout=120_000)
        assert not page.locator("[data-testid=stException]").count()
        page.close()
    context.close()

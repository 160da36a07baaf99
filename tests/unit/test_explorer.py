"""vae.explore: the store, the handout and the messages of a notebook. tests/browser/test_explorer.py sees pictures."""

import base64
import json
import warnings

import numpy as np
import pytest
import torch

import vae
from tests import foreign_models
from vae import notebook, project, watching
from vae.latent import maps

warnings.filterwarnings("ignore", category=UserWarning)


@pytest.fixture(autouse=True)
def quick_map(monkeypatch):
    """UMAP takes seconds; where points lie does not matter here."""
    xy = lambda codes, *_: np.asarray(codes[:, :2], np.float32)  # noqa: E731
    monkeypatch.setattr(maps, "fit_umap", xy)


def explorer_of(name, n=40, **options):
    model, images = foreign_models.build(name)
    return vae.explore(model, images[:n], **options)


@pytest.fixture(scope="module")
def in_python():
    """An explorer whose networks no browser can run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps, "fit_umap", lambda codes, *_: np.asarray(codes[:, :2], np.float32))
        found = explorer_of("unknown_layer", title="Unknown layers")
        assert found.store
        yield found


LABELS, FACTORS = [i % 3 for i in range(40)], {"place": [i % 5 for i in range(40)]}


@pytest.fixture(scope="module")
def portable():
    """An explorer whose networks a browser runs, of images with labels and factors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps, "fit_umap", lambda codes, *_: np.asarray(codes[:, :2], np.float32))
        found = explorer_of("tuple_output", labels=LABELS, factors=FACTORS, title="My VAE")
        assert found.store
        yield found


def test_the_store_holds_all_that_pages_read(portable):
    explorer = portable
    store = explorer.store
    (card,), problems = store.scan()
    assert not problems and card.title == "My VAE" and card.family == "foreign_vae" and card.latent_dim == 4
    assert {"recon", "kl", "mig", "active_units"} <= card.figures.keys()
    network = store.read_network(card.name)
    assert set(network["networks"]) == {"decode", "encode"} and store.read_weights(card)
    assert len(store.read_map(card.name)) == 40 and store.first_view(card)["start"]
    assert store.dataset(card).load("test").labels.tolist() == LABELS
    loaded = store.load(card.name)
    assert loaded.sample(2).shape == (2, 4) and loaded.foreign


@pytest.mark.slow
def test_a_shipped_model_is_explored_on_other_images():
    x = torch.rand(12, 1, 28, 28)
    explorer = vae.explore("mnist-vae-2d", x)
    card = explorer.store.available()[0]
    assert card.family == "vae" and card.data.startswith("images-")
    torch.testing.assert_close(explorer.store.load(card.name).encode(x).mean, vae.load("mnist-vae-2d").encode(x).mean)
    with pytest.raises(ValueError, match="takes images"):
        vae.explore("mnist-vae-2d", torch.rand(12, 1, 8, 8))


@pytest.mark.slow
def test_the_handout_holds_the_model_with_the_names_of_its_directions(tmp_path):
    explorer = explorer_of("autoencoder_kl")
    path = explorer.save(tmp_path / "x.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    card = explorer.store.available()[0]
    assert card.dimensions["0"].startswith("direction 1, ") and len(card.dimensions) == card.latent_dim == 39
    assert any("principal directions" in note for note in explorer.notes)


@pytest.mark.slow
def test_two_checkpoints_stand_side_by_side(tmp_path):
    one, two = explorer_of("float64"), explorer_of("tuple_output")
    content = one.save(tmp_path / "both.html", two).stat().st_size
    assert content > one.save(tmp_path / "one.html").stat().st_size
    assert one.info.name == two.info.name  # so that Compare offers them together


def test_a_network_that_no_browser_runs_is_named(in_python, tmp_path):
    with pytest.raises(vae.ModelUnavailable, match="no operation for cumsum in 'part1.1', Cumulative"):
        in_python.save(tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists()


@pytest.mark.parametrize(
    "model, images, sentence",
    [
        ("mlp", torch.rand(3, 1, 16, 16), "a map needs at least 5 images, not 3"),
        (torch.nn.Linear(2, 2), torch.rand(9, 1, 16, 16), "a model is a pair (encode, decode)"),
        ((1, 2, 3), torch.rand(9, 1, 16, 16), "a model is a pair (encode, decode)"),
        ("mlp", torch.rand(9, 5, 16, 16), "1 or 3 channels"),
    ],
)
def test_what_cannot_be_explored_is_a_sentence(model, images, sentence):
    with pytest.raises(ValueError) as refused:
        vae.explore(foreign_models.mlp() if model == "mlp" else model, images)
    assert sentence in str(refused.value)


def test_conversions_are_warned_of():
    with pytest.warns(UserWarning, match="divided by 255"):
        explorer = vae.explore(foreign_models.mlp(), (255 * foreign_models.images()).byte())
    assert any("255" in note for note in explorer.notes)


def test_z_and_selection_can_be_set_and_are_checked():
    explorer = explorer_of("residual")
    explorer.z = torch.arange(6)
    explorer.selection = [3, 1]
    assert explorer.z.tolist() == [0, 1, 2, 3, 4, 5] and explorer.selection.tolist() == [3, 1]
    assert explorer.decode().shape == (1, 1, 16, 16)
    for bad in ([1, 2], [float("nan")] * 6):
        with pytest.raises(ValueError, match="6 finite numbers"):
            explorer.z = bad
    with pytest.raises(ValueError, match="rows from 0 to 39"):
        explorer.selection = [40]


# ---- the notebook


def test_the_widget_and_python_follow_each_other(in_python):
    widget = in_python.widget
    assert in_python.widget is widget
    widget.set_state({"z": [0.5, -0.5, 1.0], "selection": [4, 2]})  # as the browser does
    assert in_python.z.tolist() == [0.5, -0.5, 1.0] and in_python.selection.tolist() == [4, 2]
    in_python.z = [1, 2, 3]
    in_python.selection = [7]
    assert widget.z == [1, 2, 3] and widget.selection == [7]


def test_python_decodes_what_a_browser_cannot(in_python):
    sent = []
    in_python.widget.send = lambda content, buffers=None: sent.append((content, buffers))
    zs = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    in_python.widget._handle_custom_msg({"kind": "ask", "question": {"panel": "p", "seq": 3, "zs": zs}}, [])
    (content, (answer,)), = sent
    assert content == {"kind": "pictures"}
    size = int.from_bytes(answer[:4], "little")
    header = json.loads(answer[4 : 4 + size])
    assert header["panel"] == "p" and header["seq"] == 3 and header["count"] == 2 and header["missing"] == []
    pixels = np.frombuffer(answer[4 + size :], np.uint8).reshape(2, 16, 16)
    expected = in_python.decode(zs)[:, 0].numpy()
    assert np.abs(pixels / 255 - expected).max() < 0.003


def test_python_encodes_a_visitors_picture(in_python):
    levels = (255 * foreign_models.images(1)).round().byte()
    question = {"panel": "p", "seq": 1, "x": base64.b64encode(levels.numpy().tobytes()).decode()}
    content, _ = notebook.answer(in_python, {"kind": "ask", "question": question})
    expected = in_python.model.encode(levels.float() / 255).mean[0]
    assert content["kind"] == "code" and np.allclose(content["z"], expected, atol=1e-5)


@pytest.mark.parametrize(
    "message",
    [
        None, "ask", {}, {"question": 3}, {"question": {}}, {"question": {"zs": "z"}}, {"question": {"zs": [[1, 2]]}},
        {"question": {"zs": [[0, 0, 0]] * 257}}, {"question": {"zs": []}}, {"question": {"zs": [[None, 1, "x"]]}},
    ],
)  # fmt: skip
def test_other_messages_have_no_answer(in_python, message):
    assert notebook.answer(in_python, message) is None


def test_without_anywidget_a_cell_shows_a_frame(monkeypatch, in_python, portable):
    monkeypatch.setattr(notebook, "has_widgets", lambda: False)
    found = portable._repr_mimebundle_()["text/html"]
    assert found.startswith('<iframe srcdoc="&lt;!doctype html') and 'sandbox="allow-scripts allow-downloads"' in found
    with pytest.raises(ImportError, match="anywidget is not installed"):
        _ = explorer_of("float64").widget
    assert "no operation for cumsum" in in_python._repr_mimebundle_()["text/html"]


def test_a_cell_shows_the_widget(portable):
    bundle = portable._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_film_knows_its_networks_again():
    class Model:  # no module
        def encode(self, x):
            return x

        decode = encode

    model, linear = Model(), torch.nn.Linear(2, 2)
    assert watching._key(model) is watching._key((model.encode, model.decode)) is model
    assert watching._key((linear, linear)) is watching._key((linear.forward, linear.forward)) is linear


@pytest.mark.parametrize(("name", "has"), [("mnist-vqvae", "a discrete code"), ("mnist-cvae", "a class for each")])
def test_a_shipped_model_that_it_cannot_show_is_refused_at_once(name, has):
    with pytest.raises(ValueError, match=has):
        vae.explore(name, np.zeros((10, 28, 28)))
    with pytest.raises(ValueError, match=has):
        vae.explore(name)


def test_films_of_the_last_models_only_are_kept(tmp_path):
    for _ in range(watching.MAX_WATCHED + 2):
        model, images = foreign_models.build("tuple_output")
        vae.watch(model, images[:20], file=tmp_path / "film.html")
    kept = list(watching._watched.values())
    assert len(kept) == watching.MAX_WATCHED
    assert vae.watch(model, images[:20], file=tmp_path / "film.html") is kept[-1]


def test_a_project_file_of_it_is_refused(in_python, tmp_path):
    """Its networks are in this process, and no file may name a process to ask."""
    content = project.write(in_python.store, in_python.name)
    with pytest.raises(project.ProjectError, match="in the Python process that made it"):
        project.read(content, tmp_path)


def test_codes_that_a_network_fails_on_are_missing_pictures():
    """The others of the question are shown."""
    (encode, decode), images = foreign_models.build("residual")

    def near(z):
        if (z.abs() > 50).any():
            raise RuntimeError("too far")
        return decode(z)

    explorer = vae.explore((encode, near), images[:9])
    question = {"panel": "p", "seq": 1, "zs": [[99.0] * 6, [0.0] * 6]}
    with pytest.warns(UserWarning, match=r"the decoder fails on codes of shape \(1, 6\): too far"):
        _, (answer,) = notebook.answer(explorer, {"question": question})
    header = json.loads(answer[4 : 4 + int.from_bytes(answer[:4], "little")])
    assert header["count"] == 2 and header["missing"] == [0]


@pytest.mark.slow
@pytest.mark.parametrize("dims", [1, 70])
def test_five_images_and_one_dimension_are_enough(dims, monkeypatch, tmp_path):
    monkeypatch.undo()  # with the real UMAP
    torch.manual_seed(0)
    pair = (
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, dims)),
        torch.nn.Sequential(torch.nn.Linear(dims, 16), torch.nn.Sigmoid(), torch.nn.Unflatten(1, (1, 4, 4))),
    )
    explorer = vae.explore(pair, torch.rand(5, 1, 4, 4))
    assert explorer.save(tmp_path / "x.html").stat().st_size and explorer.widget


def test_figures_that_are_not_finite_are_left_out():
    """The KL divergence of a posterior without width is infinite, and the sharpness of one pixel is undefined."""
    weight = torch.ones(1, 2)
    pair = lambda x: torch.distributions.Normal(x.flatten(1) @ weight, 1e-30), lambda z: z.sigmoid()[:, :1, None, None]
    explorer = vae.explore(pair, torch.rand(9, 1, 1, 1))
    card = explorer.store.available()[0]
    assert "recon" in card.figures and not {"kl", "kl_per_dim", "sharpness"} & card.figures.keys()
    assert card.protocol.keys() <= card.figures.keys()

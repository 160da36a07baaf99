"""vae import of a checkpoint: what the user's own folder has afterwards, and who may reach the room of pickles."""

import ast
import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

import vae
from tests import own_model
from tests.unit.checkpoints import layouts
from tests.unit.test_house import IMPORTS, ROOT
from vae import __main__ as cli
from vae import extras, importing, project, store
from vae.data import DATASETS
from vae.latent import maps
from vae.models import FAMILIES


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The user's own folder, where a map costs nothing."""
    monkeypatch.setenv("VAE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(maps, "fit_umap", lambda codes, seed, progress, exact: np.zeros((len(codes), 2), np.float32))
    return tmp_path / "home"


@pytest.fixture
def pictures(tmp_path):
    """A folder of 60 pictures in two classes, most of them in colour."""
    rng = np.random.default_rng(0)
    for i in range(60):
        folder = tmp_path / "pictures" / ("cats" if i % 2 else "dogs")
        folder.mkdir(parents=True, exist_ok=True)
        shape = (40, 50, 3) if i else (40, 50)
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(folder / f"{i}.png")
    return tmp_path / "pictures"


def test_without_images_a_checkpoint_is_shown_by_its_samples(tmp_path, home, capsys):
    tensors = layouts.disentangling_vae(tmp_path / "btcvae_dsprites")
    assert cli.main(["import", str(tmp_path / "btcvae_dsprites")]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"btcvae-dsprites: btcvae-dsprites, in {home / 'btcvae-dsprites'}\n")
    assert "A checkpoint of disentangling-vae, imported from the folder 'btcvae_dsprites'." in said
    assert said.endswith("Not evaluated yet.\n")
    model = vae.load("btcvae-dsprites")
    x = torch.rand(2, 1, 32, 32)
    mu, _ = layouts.disentangling_vae_encode(tensors, x)
    torch.testing.assert_close(model.encode(x).mean, mu, atol=1e-5, rtol=0)
    assert model.card.figures == {} and model.card.licence == "licence unknown"
    info = store.Store().dataset(model.card)
    samples = info.load("test").batch(range(importing.SAMPLES))[0]
    assert info.title == "Samples of the model" and samples.flatten(1).std(1).argmax() == info.start
    assert len(store.Store().read_map("btcvae-dsprites").codes) == importing.SAMPLES
    assert list(store.Store().read_network("btcvae-dsprites")["networks"]) == ["decode", "encode"]
    explorer = vae.explore("btcvae-dsprites")
    assert torch.equal(explorer.decode(), model.decode(torch.from_numpy(explorer.z)[None]))
    assert (explorer.title, explorer._card().licence) == ("btcvae-dsprites", "licence unknown")
    with pytest.raises(ValueError, match="images are needed"):
        vae.explore((torch.nn.Identity(), torch.nn.Identity()))
    assert cli.main(["import", str(tmp_path / "btcvae_dsprites" / "model.pt")]) == 1
    assert "there is a model 'btcvae-dsprites' already: choose another name with --as" in capsys.readouterr().err


def test_with_a_folder_of_images_a_checkpoint_is_measured(tmp_path, home, pictures):
    layouts.pythae(tmp_path / "digits", "AEConfig")
    card = importing.add(tmp_path / "digits", "mine", str(pictures))
    assert card.name == "mine" and card.figures["test_images"] == 60 and card.protocol
    info = store.Store().dataset(card)
    assert info.title == "pictures" and info.classes == ("cats", "dogs") and info.image_shape == (1, 28, 28)
    x, y = info.load("test").batch(range(60))
    assert len(set(y.tolist())) == 2 and 0 < x.mean() < 1
    model = vae.load("mine")
    torch.testing.assert_close(model.prior.mean, model.encode(x).mean.mean(0))  # fitted to these images
    assert project.read(project.write(store.Store(), "mine"), tmp_path / "other").figures == card.figures


def test_images_of_a_data_set_are_scaled_to_the_models_size(tiny_split):
    split = tiny_split((1, 28, 28), n=40)
    info = importing._resized(dataclasses.replace(DATASETS["mnist"], load=lambda name: split), (1, 32, 32))
    assert info.title == "MNIST digits, 32 x 32" and info.noun == "digits" and info.classes == tuple("0123456789")
    x, y = info.load("test").batch(range(40))
    assert x.shape == (40, 1, 32, 32) and y.tolist() == split.labels.tolist()
    assert abs(float(x.mean() - split.batch(range(40))[0].mean())) < 0.01
    with pytest.raises(ValueError, match=r"takes images \(3, 32, 32\), and those of MNIST digits are \(1, 28, 28\)"):
        importing._resized(DATASETS["mnist"], (3, 32, 32))


def test_what_cannot_be_imported_is_refused_before_anything_is_written(tmp_path, home, capsys, pictures):
    layouts.pythae(tmp_path / "digits")
    for options, sentence in (
        (["--as", "A b"], "a model's name has up to 60 of a-z, 0-9 and hyphens, not 'A b'"),
        (["--as", "mnist-vae-2d"], "there is a model 'mnist-vae-2d' already"),
        (["--data", "nowhere"], "there is no data set and no folder 'nowhere'; the data sets are "),
        (["--data", "faces"], "this model takes images (1, 28, 28), and those of "),
        (["--data", str(tmp_path / "digits" / "model.pt")], "There is no PNG, JPEG, WebP or GIF image here."),
        (["--data", "mnist-vae-2d"], "there is no data set and no folder 'mnist-vae-2d'"),
    ):
        assert cli.main(["import", str(tmp_path / "digits"), *options]) == 1
        assert sentence in capsys.readouterr().err, options
    (tmp_path / "x.vae.zip").write_bytes(b"")
    assert cli.main(["import", str(tmp_path / "x.vae.zip"), "--as", "x"]) == 1
    assert "--as and --data are for checkpoints" in capsys.readouterr().err
    assert not list(home.glob("*")) if home.exists() else True


@pytest.mark.slow
def test_weights_too_large_for_a_browser_are_answered_from_python(tmp_path, home, monkeypatch):
    monkeypatch.setattr(project, "MAX_BROWSER_BYTES", 2**20)
    layouts.pythae(tmp_path / "digits")
    importing.add(tmp_path / "digits")
    network = store.Store().read_network("digits")
    assert network["networks"] == {} and "its weights are larger than 1 MB" in network["not_portable"]["decode"]
    with pytest.raises(store.ModelUnavailable, match="its weights are larger than 1 MB"):
        project.write(store.Store(), "digits")


def test_a_stored_autoencoder_kl_names_the_package_that_it_needs(tmp_path, monkeypatch):
    config = dataclasses.asdict(FAMILIES["autoencoder_kl"].Config((3, 8, 8), 2, channels=(4, 8), norm_num_groups=4))
    card = own_model.make(tmp_path)
    kept = store.Store([tmp_path])
    kept.write_card(dataclasses.replace(card, family="autoencoder_kl", config=config, image_shape=(3, 8, 8)))
    monkeypatch.setattr(extras, "missing", lambda *packages: list(packages))
    assert kept.scan()[1] == {"mine": "AutoencoderKL models need more packages: run `pip install diffusers`"}


# ---- pickles


def test_no_page_and_no_other_module_reaches_the_room_of_pickles():
    rooms = {("vae", "checkpoints"), ("vae", "importing")}
    users = {module for module, found in IMPORTS.items() if rooms & {other[:2] for other in found}}
    assert {module for module in users if module[:2] not in rooms} == {("vae", "__main__")}
    assert not [module for module, found in IMPORTS.items() if module[0] == "pages" and ("vae", "__main__") in found]


def test_every_torch_load_takes_weights_only():
    calls = []
    for path in [*ROOT.glob("vae/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "pickle.load", "pickle.loads"):
                calls.append(path.relative_to(ROOT).as_posix())
                options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert options.get("weights_only") == "True", path
    assert "vae/checkpoints/base.py" in calls


def test_weights_that_overflow_are_one_sentence_and_leave_nothing(tmp_path, home, capsys):
    tensors = layouts.disentangling_vae(tmp_path / "huge")
    layouts.disentangling_vae(tmp_path / "huge", tensors={key: 1e30 * t for key, t in tensors.items()})
    assert cli.main(["import", str(tmp_path / "huge")]) == 1
    assert capsys.readouterr().err.endswith("error: its samples have pixels that are NaN or infinite\n")
    tensors = layouts.pythae(tmp_path / "far", name="AEConfig")
    tensors["encoder.embedding.bias"] += 1e25
    layouts.pythae(tmp_path / "far", name="AEConfig", tensors=tensors)
    assert cli.main(["import", str(tmp_path / "far")]) == 1
    assert "error: images have codes that are NaN, infinite, or too large for a map\n" in capsys.readouterr().err
    assert not [path for path in home.glob("*") if path.name != "galleries"]


def test_a_device_is_not_read(home, capsys):
    assert cli.main(["import", "/dev/zero"]) == 1
    assert "there is no file or folder" in capsys.readouterr().err

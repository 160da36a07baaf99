"""Exports for others: ONNX networks that agree with torch, and a table that Embedding Atlas opens."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

import vae
from vae import __main__ as cli
from vae import export, extras
from vae.data import DATASETS
from vae.models import FAMILIES, LatentModel
from vae.store import ModelUnavailable, Store


def onnx_outputs(content, **inputs):
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {key: value.numpy() for key, value in inputs.items()})


@pytest.fixture(scope="module")
def decoder():
    """The decoder of a small model as ONNX; an export takes seconds."""
    return export.onnx_network(vae.load("mnist-vae-2d"), "decoder")


def test_an_onnx_decoder_runs_batches_of_any_size(decoder):
    model = vae.load("mnist-vae-2d")
    for n in (1, 3):
        z = model.sample(n, generator=torch.Generator().manual_seed(1))
        (x_hat,) = onnx_outputs(decoder, z=z)
        np.testing.assert_allclose(x_hat, model.decode(z), atol=1e-4)


@pytest.mark.slow
def test_an_onnx_encoder_returns_the_moments_of_the_posterior():
    model = vae.load("mnist-vae-2d")
    x = DATASETS["mnist"].load("test").batch(range(5))[0]
    mean, stddev = onnx_outputs(export.onnx_network(model, "encoder"), x=x)
    q = model.encode(x)
    np.testing.assert_allclose(mean, q.mean, atol=1e-4)
    np.testing.assert_allclose(stddev, q.stddev, atol=1e-4)


def test_a_large_exponent_does_not_overflow():
    # as of a log-variance near its bound: log(exp(a) + exp(b)) written out is infinite above 88
    a, b = torch.tensor([200.0, -300.0, 1.0]), torch.tensor([100.0, -200.0, 1.5])
    torch.testing.assert_close(export._logaddexp(a, b), torch.logaddexp(a, b))


@pytest.mark.slow
def test_the_files_name_the_model_and_its_licence(tmp_path, capsys):
    import onnx

    assert cli.main(["export", "mnist-cvae", "--onnx", "-o", str(tmp_path / "m.onnx")]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m-decoder.onnx", "m-encoder.onnx"]
    proto = onnx.load(tmp_path / "m-decoder.onnx")
    assert [value.name for value in proto.graph.input] == ["z", "y"]
    properties = {p.key: p.value for p in proto.metadata_props}
    card = vae.load("mnist-cvae").card
    assert (properties["model"], properties["licence"]) == ("mnist-cvae", card.licence)


def one_of_each_family():
    """The first shipped model of each family."""
    found = {}
    for card in vae.available():
        found.setdefault(card.family, card.name)
    assert len(found) > 5 and set(found) <= set(FAMILIES)
    return found


@pytest.mark.slow
def test_every_family_can_be_exported():
    for family, name in one_of_each_family().items():
        for network in export.NETWORKS:
            assert export.onnx_network(vae.load(name), network), (family, network)


def test_a_network_that_differs_is_refused(decoder):
    model = vae.load("mnist-vae-2d")
    model.decode = lambda z: 1 - LatentModel.decode(model, z)
    with pytest.raises(ValueError, match="onnxruntime and torch differ by .* in x_hat of the decoder"):
        export._check(decoder, export._network(model, "decoder"), "decoder")
    with pytest.raises(ValueError, match="no network 'prior': expected encoder or decoder"):
        export.onnx_network(model, "prior")


def test_a_network_that_cannot_be_exported_is_refused_with_the_reason():
    model = vae.load("mnist-vae-2d")
    model.decode = lambda z: torch.from_numpy(np.sort(z.numpy()))
    with pytest.raises(ValueError, match="^torch cannot export the decoder to ONNX") as error:
        export.onnx_network(model, "decoder")
    assert "\n" not in str(error.value)


def test_parquet_has_a_row_for_each_encoded_test_image(tmp_path, monkeypatch):
    from pyarrow import parquet

    encoded, split = Store().read_map("rooms-ada").take(slice(10, 40)), DATASETS["rooms"].load("test")
    monkeypatch.setattr(Store, "read_map", lambda store, name: encoded)
    assert cli.main(["export", "rooms-ada", "--parquet", "-o", str(tmp_path / "rooms.parquet")]) == 0
    table = parquet.read_table(tmp_path / "rooms.parquet")
    assert table.num_rows == len(encoded)
    np.testing.assert_array_equal(table["x"].to_numpy(), encoded.umap[:, 0])
    np.testing.assert_array_equal(table["y"].to_numpy(), encoded.umap[:, 1])
    np.testing.assert_array_equal(table["error"].to_numpy(), encoded.recon)
    np.testing.assert_array_equal(np.stack(table["z"].to_pylist()).astype(np.float32), encoded.codes)
    row = 7
    assert table["label"][row].as_py() == DATASETS["rooms"].classes[split.labels[encoded.rows[row]]]
    image = table["image"][row].as_py()
    assert set(image) == {"bytes", "path"} and image["path"].endswith(".png")
    pixels = np.asarray(Image.open(io.BytesIO(image["bytes"])))
    np.testing.assert_array_equal(pixels, split.render(encoded.rows[[row]])[0].transpose(1, 2, 0))
    about = json.loads(table.schema.metadata[b"latent-space-explorer"])
    assert about["model"] == "rooms-ada" and about["licence"]


def test_a_model_without_a_map_has_no_table(monkeypatch):
    store = Store()

    def refused(name):
        raise ModelUnavailable("its map.npz is missing")

    monkeypatch.setattr(store, "read_map", refused)
    with pytest.raises(ModelUnavailable, match="map.npz is missing"):
        export.parquet(store, "mnist-vae-2d")


COMMANDS = {"--onnx": "pip install onnx onnxscript onnxruntime", "--parquet": "pip install pyarrow"}


@pytest.mark.parametrize("flag, command", COMMANDS.items())
def test_without_its_packages_the_command_names_what_to_install(flag, command, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(extras, "missing", lambda *packages: list(packages))
    assert cli.main(["export", "mnist-vae-2d", flag, "-o", str(tmp_path / "file.x")]) == 1
    error = capsys.readouterr().err
    assert error.endswith(f"need more packages: run `{command}`\n") and error.count("\n") == 1
    assert not list(tmp_path.iterdir())

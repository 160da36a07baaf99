"""Checkpoints of others: what is read computes what their project computes, and what cannot be is refused."""

import dataclasses
import json
import os
import re

import pytest
import torch
from safetensors.torch import save_file

from vae import checkpoints, extras
from vae.checkpoints import CheckpointError
from vae.models import FAMILIES, NetworkConfig

from . import layouts


def rand(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def read(folder, **options):
    """The model of a checkpoint without images, and its sentences."""
    found = checkpoints.read(folder, **options)
    with torch.no_grad():
        return found.model(None), " ".join(found.notes)


def refusal(folder):
    with pytest.raises((CheckpointError, extras.MissingPackage)) as caught:
        read(folder)
    sentence = str(caught.value)
    assert "\n" not in sentence and len(sentence) < 500
    return sentence


# ---- values


@pytest.mark.parametrize("image_shape", [(1, 32, 32), (3, 64, 64)])
def test_a_checkpoint_of_disentangling_vae_computes_what_it_does_there(tmp_path, image_shape):
    tensors = layouts.disentangling_vae(tmp_path, image_shape)
    model, notes = read(tmp_path)
    x, z = rand(4, *image_shape), 2 * rand(4, 3) - 1
    mu, logvar = layouts.disentangling_vae_encode(tensors, x)
    q = model.encode(x)
    assert (mu - logvar).abs().max() > 0.01  # so that a swap would show
    torch.testing.assert_close(q.mean, mu, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(q.stddev, (logvar / 2).exp(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(model.decode(z), layouts.disentangling_vae_decode(tensors, z), atol=1e-6, rtol=1e-5)
    assert model.config.likelihood == "bernoulli" and type(model) is FAMILIES["vae"]
    assert notes == "Its specs.json says how it was trained: loss btcvae, dataset dsprites, epochs 30."


def test_a_gaussian_loss_of_disentangling_vae_has_its_weight(tmp_path):
    layouts.disentangling_vae(tmp_path, specs={"rec_dist": "gaussian"})
    model, _ = read(tmp_path)
    z, x = rand(1, 3), rand(2, 1, 32, 32)
    log_p = model.likelihood(z).log_prob(x)
    squares = ((x - model.decode(z)) ** 2).sum((1, 2, 3))
    torch.testing.assert_close(log_p[0] - log_p[1], 255 * (squares[1] - squares[0]), atol=0.01, rtol=1e-4)
    layouts.disentangling_vae(tmp_path, specs={"rec_dist": "laplace"})
    assert "Laplace likelihood is replaced by a Gaussian" in read(tmp_path)[1]


@pytest.mark.parametrize("conv", [False, True], ids=["mlp", "conv"])
@pytest.mark.parametrize("name", ["BetaVAEConfig", "AEConfig"])
def test_a_checkpoint_of_pythae_computes_what_it_does_there(tmp_path, name, conv):
    tensors = layouts.pythae(tmp_path, name, conv)
    model, notes = read(tmp_path)
    x, z = rand(3, 1, 28, 28), 2 * rand(3, 3) - 1
    mean, *logvar = layouts.pythae_encode(tensors, x)
    q = model.encode(x)
    torch.testing.assert_close(q.mean, mean, atol=1e-5, rtol=1e-4)
    assert model.deterministic == (not logvar)
    if logvar:
        torch.testing.assert_close(q.stddev, (logvar[0] / 2).exp(), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(model.decode(z), layouts.pythae_decode(tensors, z), atol=1e-6, rtol=1e-4)
    assert model.config.likelihood == "gaussian" and model.config.sigma == 1
    assert ("Code in encoder.pkl and decoder.pkl was not run" in notes) == conv


def test_the_prior_of_a_point_code_is_fitted_to_images(tmp_path):
    layouts.pythae(tmp_path, "AEConfig")
    x = rand(20, 1, 28, 28)
    model = checkpoints.read(tmp_path).model(x)
    torch.testing.assert_close(model.prior.mean, model.encode(x).mean.mean(0))


@pytest.mark.parametrize("network", ["cifar", "celeba"])
def test_pythaes_other_networks_have_the_shapes_of_its_files(network):
    """Names and shapes as pythae 0.1.2 prints them."""
    from vae.models.pythae import PythaeConfig

    shape = {"cifar": (3, 32, 32), "celeba": (3, 64, 64)}[network]
    model = FAMILIES["pythae_vae"](PythaeConfig(shape, 2, encoder_network=network, decoder_network=network))
    sizes = {key: tuple(t.shape) for key, t in model.state_dict().items()}
    features = {"cifar": 4096, "celeba": 16384}[network]
    assert sizes["encoder.log_var.weight"] == (2, features)
    linear = {"cifar": "decoder.layers.0.weight", "celeba": "decoder.layers.0.0.weight"}[network]
    assert sizes[linear] == (65536, 2)
    kernel = {"cifar": (4, 4), "celeba": (5, 5)}[network]
    assert sizes["decoder.layers.1.0.weight"] == (1024, 512, *kernel)
    with torch.no_grad():
        assert model.eval().decode(torch.zeros(1, 2)).shape == (1, *shape)


def plain(folder, suffix=".safetensors", family="vae", **config):
    model = FAMILIES[family](FAMILIES[family].Config(**{
        "image_shape": (1, 8, 8), "latent_dim": 2, "encoder": (8,), "decoder": (8,), **config
    }))  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"family": family, **dataclasses.asdict(model.config)})
    (folder / "config.json").write_text(content, encoding="utf-8")
    if suffix == ".safetensors":
        save_file(model.state_dict(), folder / "mine.safetensors")
    else:
        torch.save({"state_dict": model.state_dict(), "epoch": 3}, folder / f"mine{suffix}")
    return model.eval()


@pytest.mark.parametrize("family", ["vae", "vqvae"])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_plain_state_dict_is_the_model_that_it_was(tmp_path, suffix, family):
    conv = {} if family == "vae" else {"network": "conv", "channels": (4, 8), "latent_dim": 4}
    theirs = plain(tmp_path, suffix, family, **conv)
    for path in (tmp_path, tmp_path / f"mine{suffix}"):
        ours, _ = read(path)
        x = rand(3, 1, 8, 8)
        with torch.no_grad():
            assert torch.equal(ours.encode(x).mean, theirs.encode(x).mean)
            assert torch.equal(ours.reconstruct(x), theirs.reconstruct(x))


def test_safetensors_come_before_a_pickle(tmp_path):
    tensors = layouts.disentangling_vae(tmp_path)
    (tmp_path / "model.pt").write_bytes(b"damaged")
    save_file({key: t.contiguous() for key, t in tensors.items()}, tmp_path / "model.safetensors")
    assert read(tmp_path)[0].latent_dim == 3
    assert "model.pt is damaged" in refusal(tmp_path / "model.pt")  # unless it is named


def test_half_precision_is_stored_as_float32(tmp_path):
    tensors = layouts.disentangling_vae(tmp_path)
    layouts.disentangling_vae(tmp_path, tensors={key: t.half() for key, t in tensors.items()})
    assert read(tmp_path)[0].dtype == torch.float32


# ---- AutoencoderKL, with and without diffusers


KL_CONFIG = {
    "_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": [8, 16], "in_channels": 3,
    "down_block_types": ["DownEncoderBlock2D"] * 2, "up_block_types": ["UpDecoderBlock2D"] * 2, "latent_channels": 4,
    "layers_per_block": 1, "norm_num_groups": 4, "out_channels": 3, "sample_size": 16, "scaling_factor": 0.18215,
}  # fmt: skip


def kl_folder(folder, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**KL_CONFIG, **changes}), encoding="utf-8")
    return folder


def test_without_diffusers_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "missing", lambda *packages: list(packages))
    assert "AutoencoderKL models need more packages: run `pip install diffusers`" in refusal(kl_folder(tmp_path))


def kl(tmp_path):
    diffusers = pytest.importorskip("diffusers")
    torch.manual_seed(0)
    theirs = diffusers.AutoencoderKL(**{k: v for k, v in KL_CONFIG.items() if k != "_class_name"}).eval()
    theirs.save_pretrained(tmp_path)
    return theirs.requires_grad_(False)


def test_an_autoencoder_kl_computes_what_it_does_in_diffusers(tmp_path):
    theirs, x = kl(tmp_path), rand(10, 3, 32, 32)
    found = checkpoints.read(tmp_path, image_shape=(3, 32, 32))
    with torch.no_grad():
        model = found.model(x)
    code = theirs.encode(2 * x - 1).latent_dist.mean.flatten(1)
    assert code.shape == (10, 4 * 16 * 16) and model.latent_dim == 9  # ten points span nine dimensions
    z = model.encode(x).mean
    torch.testing.assert_close(z, (code - code.mean(0)) @ model.axes.T, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(model.axes @ model.axes.T, torch.eye(9), atol=1e-5, rtol=1e-4)
    # nine directions hold all of ten codes, so decoding is theirs: in [-1, 1], and without the scaling factor
    expected = theirs.decode(code.view(10, 4, 16, 16)).sample / 2 + 0.5
    torch.testing.assert_close(model.decode(z), expected.clamp(0, 1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(model.prior.stddev, z.std(0, correction=0))
    assert "explain 100 % of the variance of the codes of 10 images" in found.notes[0]
    assert found.dimensions["0"].startswith("direction 1, ")
    assert "need images: add --data" in refusal(tmp_path)


def test_attention_layers_have_their_old_names(tmp_path):
    theirs = kl(tmp_path)
    names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def old(key):
        for new, before in names.items():
            key = key.replace(f".{new}.", f".{before}.")
        return key

    save_file({old(k): t.contiguous() for k, t in theirs.state_dict().items()},
              tmp_path / "diffusion_pytorch_model.safetensors")  # fmt: skip
    ours = checkpoints.read(tmp_path).network.network
    assert all(torch.equal(tensor, theirs.state_dict()[key]) for key, tensor in ours.state_dict().items())


@pytest.mark.parametrize("changes, sentence", [
    ({"_class_name": "VQModel"}, "is of the class 'VQModel'; of diffusers only AutoencoderKL is read"),
    ({"down_block_types": ["AttnDownEncoderBlock2D"]}, "only DownEncoderBlock2D is read"),
    ({"in_channels": 4}, "it takes images with 4 channels, but only 1 or 3 can be shown"),
    ({"norm_num_groups": 32}, "cannot be divided into 32 groups"),
    ({"block_out_channels": "8"}, "must be a list of widths"),
    ({"sample_size": 15}, "must be multiples of 2"),
])  # fmt: skip
def test_another_model_of_diffusers_is_refused(tmp_path, changes, sentence):
    if changes != {"_class_name": "VQModel"}:
        pytest.importorskip("diffusers")
    assert sentence in refusal(kl_folder(tmp_path, **changes))


# ---- bad input


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def without(key):
    def change(tensors):
        del tensors[key]

    return change


def put(key, value):
    return lambda tensors: tensors.update({key: value(tensors[key])})


BAD_TENSORS = {
    "missing": (without("encoder.conv2.weight"), "its weights lack the tensors 'encoder.conv2.weight'"),
    "unknown": (
        lambda t: t.update({"encoder.lin9.weight": torch.zeros(2)}), "that its network does not have: 'encoder.lin9",
    ),
    "shape": (put("decoder.lin1.weight", lambda t: t[:, :1]), "'decoder.lin1.weight' has shape (256, 1), not (256,"),
    "NaN": (put("decoder.lin1.bias", lambda t: t * torch.nan), "'decoder.lin1.bias' has values that are NaN"),
}  # fmt: skip


@pytest.mark.parametrize("change, sentence", BAD_TENSORS.values(), ids=BAD_TENSORS)
def test_weights_that_do_not_fit_are_refused(tmp_path, change, sentence):
    tensors = layouts.disentangling_vae(tmp_path)
    change(tensors)
    layouts.disentangling_vae(tmp_path, tensors=tensors)
    assert sentence in refusal(tmp_path)


def test_files_that_are_damaged_or_missing_are_refused(tmp_path):
    layouts.disentangling_vae(tmp_path)
    content = (tmp_path / "model.pt").read_bytes()
    (tmp_path / "model.pt").write_bytes(content[: len(content) // 2])
    assert refusal(tmp_path) == "model.pt is damaged or no file of torch.save"
    (tmp_path / "model.pt").unlink()
    assert "has no weights: expected model.safetensors or model.pt in it" in refusal(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(content)
    assert "model.safetensors is damaged or no safetensors file" in refusal(tmp_path)
    (tmp_path / "specs.json").write_text("{", encoding="utf-8")
    assert "specs.json is no JSON" in refusal(tmp_path)
    (tmp_path / "specs.json").write_text("[]", encoding="utf-8")
    assert "specs.json does not hold a JSON object" in refusal(tmp_path)
    (tmp_path / "specs.json").unlink()
    assert "is no checkpoint that can be read: it needs specs.json" in refusal(tmp_path)
    assert "there is no folder or file" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize("protocol", [2, 4])
def test_code_in_a_pickle_is_never_run(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    layouts.disentangling_vae(tmp_path)
    torch.save({"encoder.conv1.weight": Evil()}, tmp_path / "model.pt", pickle_protocol=protocol)
    assert "which could run any code, so it is not read: save its state_dict()" in refusal(tmp_path)
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pt")  # a whole module
    assert "is a pickle with more than tensors in it" in refusal(tmp_path)
    assert not (tmp_path / "evil").exists()


def test_pickles_of_code_beside_weights_are_never_opened(tmp_path):
    """Networks that pythae does not ship are only in encoder.pkl and decoder.pkl."""
    tensors = layouts.pythae(tmp_path, conv=True)
    layouts.pythae(tmp_path, conv=True, tensors={k: t for k, t in tensors.items() if "layers.3" not in k})
    assert "its encoder is custom code in encoder.pkl, which could do anything and is not run: " in refusal(tmp_path)


@pytest.mark.parametrize("name, config, sentence", [
    ("VQVAEConfig", {}, "its model is 'VQVAE', which is not read; of pythae AE, WAE, RAE, VAE, "),
    ("HVAEConfig", {}, "its model is 'HVAE'"),
    ("VAEConfig", {"input_dim": [784]}, "must be the shape of an image, [1 or 3, height, width], not [784]"),
    ("VAEConfig", {"latent_dim": "3"}, "'latent_dim' in model_config.json must be a whole number of 1 or more"),
    ("VAEConfig", {"input_dim": None}, "input_dim"),
    ("VAEConfig", {"input_dim": [1, 32, 32]}, "has shape (512, 784), not (512, 1024)"),
])  # fmt: skip
def test_another_model_of_pythae_is_refused(tmp_path, name, config, sentence):
    layouts.pythae(tmp_path, name, config=config)
    assert sentence in refusal(tmp_path)


@pytest.mark.parametrize("specs, sentence", [
    ({"model_type": "Resnet"}, "its model_type is 'Resnet', but only Burgess networks are read"),
    ({"img_size": [1, 28, 28]}, "takes 32 x 32 or 64 x 64 pixels"),
    ({"img_size": [2, 64, 64]}, "must be the shape of an image"),
    ({"latent_dim": 0}, "must be a whole number of 1 or more, not 0"),
    ({"rec_dist": "poisson"}, "its rec_dist is 'poisson', which is none of bernoulli, gaussian, laplace"),
])  # fmt: skip
def test_another_model_of_disentangling_vae_is_refused(tmp_path, specs, sentence):
    layouts.disentangling_vae(tmp_path, specs=specs)
    assert sentence in refusal(tmp_path)


def test_a_plain_state_dict_needs_its_family_and_config(tmp_path):
    plain(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))

    def write(**changes):
        (tmp_path / "config.json").write_text(json.dumps({**config, **changes}), encoding="utf-8")

    write(family="foreign_vae")
    assert re.search("must name a family here, one of .*vae.*, not 'foreign_vae'", refusal(tmp_path))
    write(latent_dim=0)
    assert "its config.json does not build a model: latent_dim must be" in refusal(tmp_path)
    write(latent_dim=3)
    assert "has shape" in refusal(tmp_path)
    write()
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    assert "has 2 files of weights: name the one to import" in refusal(tmp_path)
    (tmp_path / "config.json").unlink()
    assert "is no checkpoint that can be read" in refusal(tmp_path / "mine.safetensors")


def test_a_reader_is_one_new_file(tmp_path):
    @checkpoints.READERS.register("toy")
    def toy(source):
        if source.json("toy.json") is None:
            return None
        model = FAMILIES["vae"](NetworkConfig((1, 8, 8), 2)).eval()
        return checkpoints.Checkpoint("toys", (1, 8, 8), model)

    try:
        (tmp_path / "toy.json").write_text("{}", encoding="utf-8")
        assert checkpoints.read(tmp_path).project == "toys"
    finally:
        del checkpoints.READERS["toy"]


# ---- what would take all memory, and tensors that are no plain numbers


def test_a_size_in_specs_is_bounded(tmp_path):
    layouts.disentangling_vae(tmp_path, specs={"latent_dim": 10**9})
    assert refusal(tmp_path) == "'latent_dim' in specs.json is larger than 65,536"


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"encoder": [65_536, 65_536]}, "its network has"),
        ({"latent_dim": 10**18}, "too large for any memory"),
        ({"image_shape": [1, 60_000, 60_000]}, "its network has"),
    ],
)
def test_a_network_is_counted_before_it_has_memory(tmp_path, config, sentence):
    layouts.disentangling_vae(tmp_path)
    (tmp_path / "specs.json").unlink()
    fields = {"image_shape": [1, 28, 28], "latent_dim": 2, **config}
    (tmp_path / "config.json").write_text(json.dumps({"family": "vae", **fields}), encoding="utf-8")
    assert sentence in refusal(tmp_path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"block_out_channels": [8] * 9}, "it has 9 blocks, more than 8"),
        ({"layers_per_block": 10**6}, "'layers_per_block' in config.json is larger than 16"),
        ({"block_out_channels": [60_000] * 2, "norm_num_groups": 1}, "its network has"),
        ({"down_block_types": [["DownEncoderBlock2D"]]}, "only DownEncoderBlock2D is read"),
        ({"up_block_types": 5}, "its up_block_types are 5"),
    ],
)
def test_an_autoencoder_kl_is_bounded(tmp_path, changes, sentence):
    pytest.importorskip("diffusers")
    assert sentence in refusal(kl_folder(tmp_path, **changes))


@pytest.mark.parametrize(
    "convert",
    [
        lambda t: t.long(), lambda t: t > 0, lambda t: t.to(torch.complex64), lambda t: t.to_sparse(),
        lambda t: t.to("meta"), lambda t: t.to(torch.float8_e4m3fn),
    ],
)  # fmt: skip
def test_tensors_that_are_no_plain_numbers_are_refused(tmp_path, convert):
    tensors, name = layouts.disentangling_vae(tmp_path), "encoder.lin1.weight"
    layouts.disentangling_vae(tmp_path, tensors={**tensors, name: convert(tensors[name])})
    assert refusal(tmp_path) == "its tensor 'encoder.lin1.weight' does not hold plain numbers of 16, 32 or 64 bits"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_not_read(tmp_path):
    layouts.disentangling_vae(tmp_path)
    os.mkfifo(tmp_path / "pipe.pt")
    assert refusal(tmp_path / "pipe.pt").startswith("there is no folder or file")

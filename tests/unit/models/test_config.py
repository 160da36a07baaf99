"""Configs refuse what builds no model; families register themselves."""

import json
import sys
from dataclasses import asdict, replace

import pytest
import torch

import vae.models
from tests.unit.models.test_conformance import small_config
from vae.models import FAMILIES, NetworkConfig
from vae.registry import import_all

PLAIN = NetworkConfig((1, 28, 28), latent_dim=2)


@pytest.mark.parametrize("changes, sentence", [
    (dict(image_shape=(28, 28)), r"image_shape must be \(C, H, W\), integers of 1 or more, not \(28, 28\)"),
    (dict(image_shape=(1, 28, 0)), "image_shape must be"),
    (dict(latent_dim=0), "latent_dim must be an integer of 1 or more, not 0"),
    (dict(latent_dim=2.0), "latent_dim must be an integer of 1 or more, not 2.0"),
    (dict(network="transformer"), "unknown network 'transformer': expected one of mlp, conv"),
    (dict(activation="tanh"), "unknown activation 'tanh': expected one of relu, silu"),
    (dict(encoder=("a",)), r"encoder must hold widths, integers of 1 or more, not \('a',\)"),
    (dict(decoder=(8, -1)), "decoder must hold widths"),
    (dict(channels=(8, True)), "channels must hold widths"),
    (dict(network="conv", channels=()), "needs one entry of channels or more"),
    # 28 x 28 with four halvings, which decoded to 16 x 16
    (dict(network="conv"), "4 entries of channels halve the image 4 times, .* must be multiples of 16, not 28 x 28"),
    (dict(network="conv", image_shape=(1, 32, 28)), "multiples of 16, not 32 x 28"),
])  # fmt: skip
def test_networks_that_cannot_be_built(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(PLAIN, **changes)


@pytest.mark.parametrize("family, changes, sentence", [
    ("cvae", dict(num_classes=1), "needs num_classes of 2 or more, not 1"),
    ("m2", dict(num_classes=0), "needs num_classes of 2 or more, not 0"),
    ("m2", dict(channels=(4,) * 4), "an image of 8 x 8 cannot be halved 4 times"),
    ("dvae", dict(noise=0.0), "noise of a standard deviation above 0, not 0.0"),
    ("dvae", dict(noise=float("inf")), "noise of a standard deviation above 0, not inf"),
    ("vamp", dict(pseudo_inputs=0), "pseudo_inputs must be an integer of 1 or more, not 0"),
    ("iaf", dict(flow_steps=0), "flow_steps must be an integer of 1 or more, not 0"),
    ("iaf", dict(flow_width=0), "flow_width must be an integer of 1 or more, not 0"),
    ("ladder", dict(top_dim=0), "top_dim from 1 to latent_dim - 1, not 0 of 4"),
    ("ladder", dict(top_dim=4), "top_dim from 1 to latent_dim - 1, not 4 of 4"),
    ("ladder", dict(encoder=()), "one width of encoder or more"),
    ("vqvae", dict(network="mlp"), "needs network 'conv', not 'mlp'"),
    ("vqvae", dict(latent_dim=5), "a VQ-VAE of 2 halvings has latent_dim 4, one index for each position, not 5"),
    ("vqvae", dict(codebook=0), "codebook must be an integer of 1 or more, not 0"),
    ("vqvae", dict(prior_width=6), "prior_width must be a multiple of 4 attention heads, not 6"),
])  # fmt: skip
def test_families_refuse_what_is_not_theirs(family, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        small_config(family, **changes)


def test_a_field_of_another_family_is_no_field():
    with pytest.raises(TypeError, match="noise"):
        NetworkConfig((1, 28, 28), latent_dim=2, noise=0.5)


# ---- what is stored

OLD = {  # what every card held before families had configs of their own
    **asdict(PLAIN), "num_classes": 0, "noise": 0.0, "pseudo_inputs": 0, "flow_steps": 0, "flow_width": 0,
    "top_dim": 0, "codebook": 0, "code_dim": 0, "prior_width": 0, "prior_layers": 0,
}  # fmt: skip


def test_a_card_of_before_is_read():
    stored = json.loads(json.dumps(OLD))
    assert NetworkConfig.from_dict(stored) == PLAIN
    found = FAMILIES["vamp"].Config.from_dict({**stored, "pseudo_inputs": 7})
    assert found == FAMILIES["vamp"].Config(**vars(PLAIN), pseudo_inputs=7)
    del stored["activation"]  # older still
    assert NetworkConfig.from_dict(stored) == PLAIN
    with pytest.raises(ValueError, match="it names 'pseudo_inputs', 'layers', unknown to NetworkConfig"):
        NetworkConfig.from_dict({**OLD, "pseudo_inputs": 7, "layers": 3})
    with pytest.raises(ValueError, match="it names 'pseudo_inputs', unknown to DenoisingVAE.Config"):
        FAMILIES["dvae"].Config.from_dict({**OLD, "noise": 0.5, "pseudo_inputs": 7})


# ---- registration

TOY = '''
"""The mean image, whatever z is."""

from dataclasses import dataclass

import torch

from vae.models.base import FAMILIES, LatentModel, NetworkConfig
from vae.models.vae import VAE


@FAMILIES.register("toy")
class Toy(VAE):
    @dataclass(frozen=True)
    class Config(NetworkConfig):
        scale: float = 1.0
'''


@pytest.fixture
def registry(monkeypatch):
    """Puts FAMILIES back as it was."""
    before, files = dict(FAMILIES), dict(FAMILIES.files)
    yield FAMILIES
    FAMILIES.clear()
    FAMILIES.update(before)
    FAMILIES.files.clear()
    FAMILIES.files.update(files)


def test_a_new_file_of_the_package_is_a_new_family(registry, monkeypatch, tmp_path):
    (tmp_path / "toy_family.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(vae.models, "__path__", [*vae.models.__path__, str(tmp_path)])
    import_all(vae.models)
    monkeypatch.delitem(sys.modules, "vae.models.toy_family")
    model = FAMILIES["toy"](small_config("toy", scale=2.0))
    assert model.encode(torch.rand(2, 1, 8, 8)).mean.shape == (2, 4) and model.analytic_kl


def test_a_new_file_elsewhere_is_a_new_family(registry, monkeypatch, tmp_path):
    (tmp_path / "family_of_mine.py").write_text(TOY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import family_of_mine  # noqa: F401

    monkeypatch.delitem(sys.modules, "family_of_mine")
    assert FAMILIES["toy"].Config((1, 8, 8), 4).scale == 1.0


def test_a_name_has_one_family(registry):
    both = r"family 'vae' is registered twice: in .*models/vae\.py and in .*test_config\.py"
    with pytest.raises(ValueError, match=both):
        FAMILIES.register("vae")(object)
    assert FAMILIES["vae"].__name__ == "VAE"
    FAMILIES.register("toy")(int)
    FAMILIES.register("toy")(int)  # a file may run again
    with pytest.raises(ValueError, match=r"family 'toy' is registered twice in .*test_config\.py"):
        FAMILIES.register("toy")(float)

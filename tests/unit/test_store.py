import dataclasses
import gc
import json
import math
import warnings

import numpy as np
import pytest
import torch

import vae
from vae import store
from vae.cards import Traits
from vae.data import DATASETS, idx
from vae.encoded import EncodedImages
from vae.models import FAMILIES, NetworkConfig
from vae.models.portable import FORMAT, network_file
from vae.training.recipes import RECIPES

from ..long import LONG

CONFIG = NetworkConfig((1, 28, 28), latent_dim=2, encoder=(8,), decoder=(8,))


@pytest.fixture
def saved(tmp_path):
    """A small model in a zoo of its own: (root, model, card)."""
    torch.manual_seed(0)
    model = FAMILIES["ae"](CONFIG).eval()
    model.fit_prior(torch.randn(50, 2))
    card = store.ModelCard(
        name="tiny", title="Tiny", description="", family="ae", data="mnist",
        image_shape=(1, 28, 28), latent_dim=2, config=dataclasses.asdict(CONFIG), recipe={},
        licence="MIT", weights_sha256="",
    )  # fmt: skip
    return tmp_path, model, store.Store([tmp_path]).save(model, card)


def test_a_saved_model_loads_to_identical_outputs(saved):
    root, model, card = saved
    loaded = store.load("tiny", root)
    x = torch.rand(3, 1, 28, 28)
    assert torch.equal(loaded.encode(x).mean, model.encode(x).mean)
    z = torch.randn(3, 2)
    assert torch.equal(loaded.decode(z), model.decode(z))
    assert torch.equal(loaded.prior.mean, model.prior.mean)
    assert loaded.card == card and not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())
    assert store.available(root) == [card]
    assert not list(root.rglob("*.writing"))


def break_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_byte(folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def edit_card(**changes):
    def edit(folder):
        path = folder / "card.json"
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")

    return edit


@pytest.mark.parametrize(
    "damage, reason",
    [
        (break_weights, "damaged"),
        (flip_a_byte, "damaged"),
        (lambda folder: (folder / "model.safetensors").unlink(), "missing"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b""), "damaged"),
        (lambda folder: (folder / "card.json").unlink(), "card.json is missing"),
        (lambda folder: (folder / "card.json").write_text("{", encoding="utf-8"), "cannot be read"),
        (lambda folder: (folder / "card.json").write_text("[]", encoding="utf-8"), "cannot be read"),
        (lambda folder: (folder / "card.json").write_text("{}", encoding="utf-8"), "cannot be read"),
        (edit_card(config={"image_shape": [1, 28, 28], "latent_dim": 2, "layers": 3}), "names 'layers', unknown to "
            "NetworkConfig"),
        (edit_card(config=None), "'config' of its card.json must be an object"),
        (edit_card(config={"latent_dim": 2}), "does not build"),
        (edit_card(config={**dataclasses.asdict(CONFIG), "encoder": [9]}), "do not fit"),
        (edit_card(config={**dataclasses.asdict(CONFIG), "encoder": ["a"]}), "does not build"),
        (edit_card(config={**dataclasses.asdict(CONFIG), "network": "rnn"}), "does not build"),
        (edit_card(latent_dim=3), "two different values of latent_dim"),
        (edit_card(family="gan"), "its family 'gan' is not known"),
        # of a family that a later version has, or a file that is not here
        (edit_card(family="diffusion", config={"image_shape": [1, 28, 28], "latent_dim": 2, "steps": 9}),
            "'diffusion' is not known"),
        (edit_card(family=["ae"]), "'family' of its card.json must be text"),
        (edit_card(family=None), "'family' of its card.json must be text"),
        (edit_card(name=None), "'name' of its card.json must be text"),
        (edit_card(name="other"), "its card.json belongs to the model 'other'"),
        (edit_card(name="../other"), "its card.json belongs to the model '../other'"),
        (edit_card(title=3), "'title' of its card.json must be text"),
        (edit_card(latent_dim="2"), "'latent_dim' of its card.json must be a whole number"),
        (edit_card(latent_dim=True), "'latent_dim' of its card.json must be a whole number"),
        (edit_card(figures=None), "'figures' of its card.json must be an object"),
        (edit_card(figures={"recon": "x"}), "the figure 'recon' of its card.json is not a finite number"),
        (edit_card(figures={"recon": float("nan")}), "the figure 'recon' of its card.json is not a finite number"),
        (edit_card(figures={"kl_per_dim": [1.0, "x"]}), "the figure 'kl_per_dim'"),
        (edit_card(protocol={"recon": 3}), "the protocols of its card.json must be text"),
        (edit_card(recipe=None), "'recipe' of its card.json must be an object"),
        (edit_card(recipe={"objective": 3}), "its objective '3' is not known"),
        (edit_card(recipe={"objective": {"name": "beta_vae", "beta": "x"}}), "its objective beta_vae cannot be read"),
        (edit_card(recipe={"objective": {"name": "beta_vae", "beta": {"a": 1}}}), "beta_vae cannot be read"),
        (lambda folder: (folder / "card.json").write_text("[" * 100_000, encoding="utf-8"), "cannot be read"),
        (edit_card(recipe={"objective": {"name": "toy"}}), "its objective 'toy' is not known"),
    ],
)
def test_damage_is_told_and_the_rest_works(saved, damage, reason):
    root, model, card = saved
    store.Store([root]).save(model, dataclasses.replace(card, name="other"))
    damage(root / "tiny")
    cards, problems = store.Store([root]).scan()
    assert [c.name for c in cards] == ["other"]
    assert reason in problems["tiny"] and "\n" not in problems["tiny"]
    with pytest.raises(store.ModelUnavailable):
        store.load("tiny", root)
    store.load("other", root)


@pytest.mark.parametrize("name", ["", 3, "no-such-model", "../../etc", "a/b", "A", "x" * 500, "é"])
def test_names_from_links_are_no_paths(saved, name):
    with pytest.raises(store.ModelUnavailable, match="no model named"):
        store.load(name, saved[0])


def test_a_map_is_read_back_and_damage_told(saved):
    root = saved[0]
    with pytest.raises(store.ModelUnavailable, match="missing or damaged"):
        store.Store([root]).read_map("tiny")
    rng = np.random.default_rng(0)
    parts = {name: rng.normal(size=(4, 2)) for name in ("codes", "sigmas", "umap", "umap_again", "pca")}
    parts |= {"rows": np.arange(4), "recon": rng.normal(size=4)}
    store.Store([root]).write_map("tiny", EncodedImages(**parts))
    found = store.Store([root]).read_map("tiny")
    np.testing.assert_array_equal(found.umap, parts["umap"])
    assert found.sigmas.dtype == np.float32
    np.testing.assert_allclose(found.sigmas, parts["sigmas"], rtol=2**-11)  # stored with half precision
    store.Store([root]).write_map("tiny", EncodedImages(**{**parts, "sigmas": np.full((4, 2), 1e9)}))
    assert np.isfinite(store.Store([root]).read_map("tiny").sigmas).all()
    path = root / "tiny" / "map.npz"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(store.ModelUnavailable, match="missing or damaged"):
        store.Store([root]).read_map("tiny")
    for wrong, said in [
        ({"recon": np.zeros(3)}, "do not fit each other"),
        ({"recon": np.zeros(())}, "do not fit each other"),
        ({"codes": np.zeros((4, 3)), "sigmas": np.zeros((4, 3))}, "does not belong"),
        ({"codes": np.zeros(4)}, "does not belong"),
        ({"umap": np.full((4, 2), np.nan)}, "not finite"),
        ({"rows": np.array([0, 1, 2, -1])}, "negative rows"),
        ({"sigmas": np.full((4, 2), np.nan)}, "not finite"),
    ]:
        store.Store([root]).write_map("tiny", EncodedImages(**{**parts, **wrong}))
        with pytest.raises(store.ModelUnavailable, match=said):
            store.Store([root]).read_map("tiny")


def test_a_card_holds_the_fields_of_its_family_alone(saved):
    root, _, card = saved
    stored = json.loads((root / "tiny" / "card.json").read_text(encoding="utf-8"))["config"]
    assert stored == json.loads(json.dumps(dataclasses.asdict(CONFIG))) and "codebook" not in stored
    # cards of before have those of every family
    edit_card(config={**stored, "num_classes": 0, "codebook": 0, "noise": 0.0})(root / "tiny")
    assert store.load("tiny", root).config == CONFIG


def test_every_recipe_is_shipped_with_weights_map_and_figures():
    cards, problems = store.Store().scan()
    assert not problems
    assert {card.name for card in cards} >= set(RECIPES)
    for card in cards:
        folder = store.PRETRAINED / card.name
        assert (folder / "model.safetensors").stat().st_size <= 4_000_000
        assert card.figures["test_images"] == len(DATASETS[card.data].load("test")) >= 1000
        found = store.Store().read_map(card.name)
        assert 2000 <= len(found.rows) <= 10_000
        assert found.codes.shape == (len(found.rows), card.latent_dim)


def test_shipped_models_follow_their_recipes():
    for card in vae.available():
        recipe = RECIPES[card.name]
        assert card.model_config() == recipe.config
        assert card.recipe.keys() >= {"steps", "batch_size", "learning_rate", "objective", "seed"}
        assert recipe.same_as({**card.recipe, "family": card.family, "data": card.data, "config": card.config})


def test_promised_figures():
    figures = {card.name: card.figures for card in vae.available()}
    assert figures["mnist-vae-2d"]["negative_elbo"] <= 146.9
    gain = figures["mnist-vae-2d"]["negative_elbo"] - figures["mnist-vae-16d"]["negative_elbo"]
    assert gain >= 35
    promised = {"sprites-beta4": 0.20, "sprites-btcvae": 0.40,
                "sprites-factor": 0.32, "rooms-ada": 0.50}  # fmt: skip
    for name, least in promised.items():
        assert figures[name]["mig"] >= least, name


def test_promised_figures_of_the_families():
    figures = {card.name: card.figures for card in vae.available()}
    plain = figures["mnist-vae-bin"]["nll"]
    assert plain <= 86.8
    assert figures["mnist-vamp"]["nll"] <= plain - 1
    assert figures["mnist-iaf"]["nll"] <= plain - 1
    assert figures["mnist-ladder"]["nll"] <= plain - 1.9  # the target was 82.4: its card lists the runs
    assert "the target was 82.4" in RECIPES["mnist-ladder"].note
    assert figures["mnist-m2"]["accuracy"] >= 0.94 and RECIPES["mnist-m2"].objective.labels == 100
    denoised = figures["mnist-dvae"]["psnr_denoised"]
    assert denoised > figures["mnist-vae-16d"]["psnr_denoised"]
    assert denoised > figures["mnist-dvae"]["psnr_mean_image"]
    assert figures["mnist-collapsed"]["active_units"] <= 1
    # 0.803 when the length of the move was chosen on these test faces; it is chosen on validation faces now
    assert min(figures["faces-vae"]["attribute_flips"].values()) >= 0.78
    assert max(figures["faces-vae"]["attribute_unmoved"].values()) <= 0.25
    assert figures["faces-vaegan"]["sharpness"] > figures["faces-vae"]["sharpness"]
    glyphs = figures["glyphs-cvae"]
    assert glyphs["style_distance"] < 0.7 * glyphs["style_distance_permuted"]
    for name in ("mnist-vqvae", "rooms-vqvae"):
        assert figures[name]["codes_used"] <= RECIPES[name].config.codebook
        assert figures[name]["sample_confidence"] <= figures[name]["test_confidence"]


def test_x_y_and_scale_of_the_beta_tcvae_have_a_dimension_each():
    card = store.Store().read_card("sprites-btcvae")
    share = np.array(card.figures["mutual_information"]) / card.figures["factor_entropy"]
    owners = []
    for factor in ("x", "y", "scale"):
        k = DATASETS["sprites"].grid.names.index(factor)
        second, first = np.sort(share[:, k])[-2:]
        assert first > 3 * second, factor
        owners.append(int(share[:, k].argmax()))
    assert len(set(owners)) == 3


DAMAGED_ZIP = b"PK\x03\x04 and no more"  # np.load takes it for an .npz


@pytest.mark.parametrize("file, read", [
    ("map.npz", lambda path: store.Store([path.parents[1]]).read_map("tiny")),
    ("memory.npz", lambda path: store.Store([path.parents[1]]).read_memory("tiny")),
    ("gallery.npz", idx.read_gallery),
])  # fmt: skip
def test_a_damaged_npz_is_closed(saved, file, read):
    path = saved[0] / "tiny" / file
    path.write_bytes(DAMAGED_ZIP)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        with pytest.raises((store.ModelUnavailable, OSError), match="damaged"):
            read(path)
        gc.collect()
    assert not [str(w.message) for w in caught if issubclass(w.category, ResourceWarning)]


# one model of each family and one of each data set: at a part of the test split, and at all of it where minutes may
# pass; `python -m vae evaluate --all --check` measures the others, and the NLL by all its samples of all its images
MEASURED_AGAIN = (
    "faces-vaegan", "fashion-vae-16d", "glyphs-cvae", "mnist-dvae", "mnist-iaf", "mnist-ladder", "mnist-m2",
    "mnist-vae-bin", "mnist-vamp", "mnist-vqvae", "rooms-ada", "rooms-qlae", "sprites-ae",
)  # fmt: skip
IN_FULL = ("fashion-vae-16d", "mnist-dvae", "mnist-vae-bin", "mnist-vqvae")  # in CI
SLOW = (*IN_FULL, "faces-vaegan", "rooms-ada", "rooms-qlae", "sprites-ae")  # at a part, too
LOOKS = [
    pytest.param(name, 500, id=f"{name}-quick", marks=[pytest.mark.slow] if name in SLOW else [])
    for name in MEASURED_AGAIN
]
LOOKS += [
    pytest.param(name, None, id=f"{name}-full", marks=[pytest.mark.slow, *([] if name in IN_FULL else LONG)])
    for name in MEASURED_AGAIN
]


def test_each_family_each_data_set_and_each_measure_is_measured_again():
    again = [RECIPES[name] for name in MEASURED_AGAIN]
    assert {recipe.family for recipe in again} == {recipe.family for recipe in RECIPES.values()}
    assert {recipe.data for recipe in again} == {recipe.data for recipe in RECIPES.values()}
    assert {task for recipe in again for task in recipe.downstream} == {
        task for recipe in RECIPES.values() for task in recipe.downstream
    }
    figures = {name: store.Store().read_card(name).figures.keys() for name in RECIPES}
    assert {key for name in MEASURED_AGAIN for key in figures[name]} == {key for keys in figures.values() for key in keys}  # noqa: E501


@pytest.mark.parametrize("name, limit", LOOKS)
def test_figures_on_cards_are_reproduced(name, limit):
    from vae.evaluation.evaluate import differences, evaluate

    model = vae.load(name)
    # trees and importance samples take minutes a model: those of one model stand for all; sixty classifiers are
    # trained for `augmentation`
    without = () if limit is None and name == "rooms-ada" else ("dci",)
    without += () if limit is None and name == "fashion-vae-16d" else ("augmentation",)
    # all samples of every fiftieth image, or few samples of every fifth
    nll = {"samples": 5000, "stride": 50} if name == "mnist-vae-bin" else {"samples": 300}
    without += () if limit is None else ("nll",)
    downstream = tuple(task for task in RECIPES[name].downstream if limit is None or task == "anomalies")
    figures, protocol = evaluate(
        model, model.card.data, limit, without, {"nll": nll}, downstream=downstream
    )
    card = dict(model.card.figures)
    if limit is None:
        if "nll" in card:
            # fewer samples give a higher estimate
            above = 1.5 if nll["samples"] < 5000 else 3 * figures["nll_distance_error"]
            assert card["nll"] - 3 * figures["nll_distance_error"] < figures["nll"] < card["nll"] + above
            without += ("nll",)
            figures = {k: v for k, v in figures.items() if not k.startswith("nll")}
            del protocol["nll"]
        assert differences(model.card, figures, protocol, without) == []
    else:
        # means over 500 of the 10,000 images: within a few of their standard errors
        assert figures["recon"] == pytest.approx(card["recon"], rel=0.06)
        if "kl" in card:
            assert figures["kl"] == pytest.approx(card["kl"], rel=0.06, abs=0.05)
        if "active_units" in card:
            assert abs(figures["active_units"] - card["active_units"]) <= 1
        for key in [k for k in card if k.startswith("auroc_")]:
            assert figures[key] == pytest.approx(card[key], abs=0.08), key
        for key in ("mig", "sap", "factor_vae_score", "accuracy", "test_confidence"):
            if key in card:
                assert figures[key] == pytest.approx(card[key], abs=0.1), key


def test_networks_are_written_and_read(saved):
    root, model, card = saved
    with pytest.raises(store.ModelUnavailable, match="network.json is missing"):
        store.Store([root]).read_network("tiny")
    store.Store([root]).write_network("tiny", network_file(store.load("tiny", root)), {"summary": "tiny"})
    network = store.Store([root]).read_network("tiny")
    assert store.Store([root]).first_view(card)["summary"] == "tiny"
    edit_card(title="Another")(root / "tiny")
    assert store.Store([root]).first_view(card) == {}  # written for another card
    assert network["weights_sha256"] == card.weights_sha256 and list(network["networks"]) == ["decode", "encode"]
    assert (network["latent_dim"], network["num_classes"], network["image_shape"]) == (2, 0, [1, 28, 28])
    assert network["not_portable"] == {} and network["constants"] == {}
    found = network["capabilities"]
    assert found["deterministic"] and not found["has_elbo"] and found["prior_name"] == model.prior_name
    assert found["levels"] == {} and found["is_sigmoid"] and found["is_cross_entropy"]
    torch.testing.assert_close(torch.tensor(network["prior"]["stddev"]), model.prior.stddev, rtol=1e-5, atol=0)
    traits = Traits.from_network_file(network)
    assert (traits.latent_dim, traits.networks, traits.levels) == (2, ("decode", "encode"), {})
    assert traits.prior_is_gaussian and not traits.discrete and store.NETWORK_FORMAT == FORMAT


@pytest.mark.parametrize("change, reason", [
    ({"format": 1}, "format 2"), ({"networks": None}, "lacks an object"),
    ({"weights_sha256": "0"}, "other weights: run"), ({"networks": {"decode": {}}}, "damaged graph"),
    ({"networks": {"decode": None}}, "damaged graph"), ({"latent_dim": 7}, "another model than"),
    ({"num_classes": 3}, "another model than"), ({"capabilities": {}}, "does not describe the model"),
    ({"prior": {"mean": ["a"], "stddev": [1]}}, "does not describe the model"), ({"constants": math.nan}, "NaN"),
])  # fmt: skip
def test_a_damaged_network_file_is_refused(saved, change, reason):
    root, _, _ = saved
    store.Store([root]).write_network("tiny", network_file(store.load("tiny", root)), {})
    path = root / "tiny/network.json"
    network = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**network, **change}), encoding="utf-8")
    with pytest.raises(store.ModelUnavailable, match=reason):
        store.Store([root]).read_network("tiny")


@pytest.mark.parametrize("first_view", [
    {"place": "1"}, {"summary": 3}, {"start": {"z": [0.0], "y": 0}}, {"start": {"z": [0.0, "a"], "y": 0}},
    {"start": {"z": [0.0, 1.0], "y": 2}}, {"start": [1]},
])  # fmt: skip
def test_a_first_view_with_wrong_types_is_none(saved, first_view):
    root, model, card = saved
    shop = store.Store([root])
    shop.write_network("tiny", network_file(shop.load("tiny")), {"place": 1, "start": {"z": [0.0, 1.0], "y": 0}})
    assert shop.first_view(card)["place"] == 1
    shop.write_network("tiny", network_file(shop.load("tiny")), first_view)
    assert shop.first_view(card) == {}


def test_the_shortcut_past_the_checks_is_for_the_projects_own_models(saved):
    """A folder may claim anything of itself."""
    root, model, card = saved
    shop = store.Store([root])
    edit_card(family="nope")(root / "tiny")
    network = {**network_file(model), "weights_sha256": card.weights_sha256}
    shop.write_network("tiny", network, {"place": 1})
    assert shop.first_view(card)["place"] == 1
    assert shop.scan() == ([], {"tiny": "its family 'nope' is not known here"})


def test_a_folder_with_weights_alone_says_that_its_card_is_missing(saved, tmp_path):
    root, _, _ = saved
    (root / "tiny" / "card.json").unlink()
    assert store.Store([tmp_path / "other", root]).scan()[1] == {"tiny": "its card.json is missing"}


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 10**5, "\x00"])
def test_a_network_file_that_is_no_json_is_refused(saved, text):
    root, _, _ = saved
    (root / "tiny/network.json").write_text(text, encoding="utf-8")
    with pytest.raises(store.ModelUnavailable):
        store.Store([root]).read_network("tiny")


def test_a_network_that_is_not_portable_is_absent_with_its_reason(saved, monkeypatch):
    root, _, _ = saved
    monkeypatch.setattr(FAMILIES["ae"], "decode_logits", lambda self, z, y=None: self.decoder(z.cumsum(1)))
    store.Store([root]).write_network("tiny", network_file(store.load("tiny", root)), {})
    network = store.Store([root]).read_network("tiny")
    assert list(network["networks"]) == ["encode"] and "cumsum" in network["not_portable"]["decode"]


import numpy as np
import pytest
import torch

from vae import metrics
from vae.data import DATASETS
from vae.evaluation.evaluate import evaluate
from vae.evaluation.measures import MEASURES, Context, run
from vae.models import FAMILIES, LatentModel

SMALL = dict(image_shape=(1, 28, 28), latent_dim=4, encoder=(16,), decoder=(16,))


def build(family="vae", **changes):
    torch.manual_seed(0)
    return FAMILIES[family](FAMILIES[family].Config(**{**SMALL, **changes})).eval().requires_grad_(False)


def measured(name, model, split, n, data="mnist"):
    return run(MEASURES[name](), Context(model, DATASETS[data], split, n))


def test_the_nll_from_every_fifth_image_is_that_of_all_within_its_error(monkeypatch):
    model = build()
    torch.nn.init.normal_(model.decoder[0].weight, std=3.0)  # so that bound and NLL lie apart
    figures, protocol = evaluate(model, "mnist-binary", limit=400, parameters={"nll": {"samples": 300}})
    split = DATASETS["mnist-binary"].load("test")
    whole = metrics.importance_nll(model, [split.batch(range(i, i + 50)) for i in range(0, 400, 50)], 300)
    distance = figures["negative_elbo"] - figures["nll"]
    assert distance > 5 * figures["nll_distance_error"] > 0
    # one draw an image makes the bound itself uncertain, in those that were not sampled too
    assert figures["nll"] == pytest.approx(whole.nll, abs=5 * figures["nll_distance_error"])
    assert figures["nll_standard_error"] == pytest.approx(whole.standard_error, rel=0.3)
    assert "300 posterior samples" in protocol["nll"] and "80 in all" in protocol["nll"]
    without, _ = evaluate(model, "mnist-binary", limit=400, without=("nll",))
    assert "nll" not in without and without["negative_elbo"] == figures["negative_elbo"]


def test_binarised_pixels_are_binary_and_the_same_each_time():
    split = DATASETS["mnist-binary"].load("test")
    x, y = split.batch([5, 900, 7])
    assert set(x.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(x[1], split.batch([900])[0][0])
    grey, labels = DATASETS["mnist"].load("test").batch(range(2000))
    assert torch.equal(y, labels[[5, 900, 7]]) if len(labels) > 900 else True
    drawn = split.batch(range(2000))[0]
    # pixels follow their grey values, as odds
    middle = (grey > 0.4) & (grey < 0.6)
    assert float(drawn[middle].mean()) == pytest.approx(float(grey[middle].mean()), abs=0.02)
    assert drawn[grey == 0].sum() == 0 and (drawn[grey == 1] == 1).all()


def test_denoising_sees_the_noise_of_the_seed_and_is_measured_against_the_clean_image(monkeypatch):
    class Identity:
        num_classes, reconstruct = 0, LatentModel.reconstruct

        def encode(self, x, y=None):
            self.seen = x
            return torch.distributions.Independent(torch.distributions.Normal(x, 1.0), 3)

        def decode(self, z, y=None):
            return z

    split = DATASETS["mnist"].load("test")
    figures, told = measured("denoising", Identity(), split, 500)
    assert figures["psnr_denoised"] == pytest.approx(figures["psnr_noisy"])
    assert 8 < figures["psnr_noisy"] < 11 and "0.5" in told["psnr_denoised"]


def test_a_conditional_model_finds_the_class_in_the_noise():
    class ByClass:
        num_classes, reconstruct = 10, LatentModel.reconstruct
        asked = []

        def most_likely_class(self, x):
            self.asked.append(x)
            return torch.full((len(x),), 7)

        def encode(self, x, y=None):
            assert (y == 7).all()
            return torch.distributions.Independent(torch.distributions.Normal(x, 1.0), 3)

        def decode(self, z, y=None):
            assert (y == 7).all()
            return z * 0 + mean

    split = DATASETS["mnist"].load("test")
    x = split.batch(range(300))[0]
    mean = x.mean(0, keepdim=True)
    figures, told = measured("denoising", ByClass(), split, 300)
    assert figures["psnr_denoised"] == pytest.approx(figures["psnr_mean_image"], rel=1e-5)
    assert not torch.equal(ByClass.asked[0], x) and "infers the class from the noisy image" in told["psnr_denoised"]


def test_labels_are_counted(tiny_split):
    model = build("m2", num_classes=10, channels=(4, 8))
    split = tiny_split((1, 28, 28), n=60)
    x, y = split.batch(range(60))
    figures, _ = measured("accuracy", model, split, 60)
    assert figures["accuracy"] == pytest.approx(float((model.most_likely_class(x) == y).double().mean()))
    assert np.isfinite(figures["accuracy"])

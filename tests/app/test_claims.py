"""What the lessons claim, measured: a step names its tests in `check`, each without its "test_"."""

import functools
import sys

import numpy as np
import pytest
import torch

import vae
from pages.components.compare import comparison
from pages.components.train import example
from vae import lessons, live, metrics, store
from vae.data import DATASETS
from vae.evaluation import report
from vae.live import replay
from vae.live.images import training_split, validation_split
from vae.objectives import elbo

LESSONS = lessons.read()[0]
CHECKS = {check for lesson in LESSONS.values() for step in lesson.steps for check in step.check}
CARDS = {card.name: card for card in vae.available()}
F = {name: card.figures for name, card in CARDS.items()}
BY_BETA = [f"sprites-beta{beta}" for beta in (1, 2, 4, 8, 16)]


def test_every_check_is_a_test_and_every_test_is_named():
    tests = {name.removeprefix("test_") for name in vars(sys.modules[__name__]) if name.startswith("test_")}
    assert CHECKS == tests - {"every_check_is_a_test_and_every_test_is_named"}


# ---- of figures on cards


def by_kl(figure):
    """A figure of four models of digits whose KL weighs 0, 1, 4 and 60."""
    return [F[name][figure] for name in ("mnist-ae-16d", "mnist-vae-16d", "mnist-beta4", "mnist-collapsed")]


def migs_of_seeds(name):
    return [*(f["mig"] for f in report.earlier_seeds(store.Store().read_card(name)).values()), F[name]["mig"]]


def test_the_reconstruction_is_the_larger_term():
    assert F["mnist-vae-16d"]["recon"] > F["mnist-vae-16d"]["kl"]


def test_a_vae_leaves_dimensions_inactive():
    assert F["mnist-vae-16d"]["active_units"] < CARDS["mnist-vae-16d"].latent_dim == 16


def test_a_heavier_kl_costs_reconstruction():
    assert np.all(np.diff(by_kl("recon")) > 0)


def test_a_heavier_kl_lowers_the_rate():
    assert F["mnist-beta4"]["kl"] < F["mnist-vae-16d"]["kl"]


def test_a_collapsed_model_has_no_kl():
    assert F["mnist-collapsed"]["kl"] < 0.05 and F["mnist-collapsed"]["active_units"] == 0


def test_umap_is_more_trustworthy_than_pca():
    trust = CARDS["mnist-vae-16d"].map["trustworthiness"]
    assert trust["umap"] > 0.9 > trust["pca"]


def test_no_dimension_encodes_orientation():
    assert DATASETS["sprites"].grid.names == ("shape", "scale", "orientation", "x", "y")  # as in the text
    gaps = F["sprites-btcvae"]["mig_gaps"]
    assert gaps[2] < 0.01 and min(gaps[:2] + gaps[3:]) > 0.3


def test_shape_and_scale_share_a_dimension():
    known = np.array(F["sprites-btcvae"]["mutual_information"])  # (D, K)
    assert known[:, 0].argmax() == known[:, 1].argmax()


def test_the_plain_vae_has_the_same_recipe():
    plain, btcvae = CARDS["sprites-beta1"], CARDS["sprites-btcvae"]
    assert plain.model_config() == btcvae.model_config()
    keys = ("steps", "batch_size", "learning_rate", "beta_from")
    assert [plain.recipe[k] for k in keys] == [btcvae.recipe[k] for k in keys]


def test_a_higher_beta_costs_reconstruction_of_sprites():
    recon = [F[name]["recon"] for name in BY_BETA]
    assert recon == sorted(recon)


def test_mig_hardly_changes_from_beta_2_on():
    """By less than between two seeds of one recipe; all runs begin with a beta of 60."""
    assert np.ptp([F[name]["mig"] for name in BY_BETA[1:]]) < 0.03
    assert all(np.ptp(migs_of_seeds(name)) > 0.03 for name in ("rooms-ada", "sprites-btcvae"))
    assert all(CARDS[name].recipe["beta_from"] == 60 for name in BY_BETA)


def test_blurred_clothes_look_more_usual_than_sharp_ones():
    clothes = F["fashion-vae-16d"]
    assert max(clothes["auroc_excess_blurred"], clothes["auroc_squared_error_blurred"]) < 0.45
    assert max(clothes["auroc_excess_empty"], clothes["auroc_squared_error_empty"]) < 0.5
    assert clothes["auroc_excess_mnist"] > 0.95


def test_a_model_of_200_images_fails_on_others():
    assert F["mnist-few"]["recon"] > 2 * F["mnist-vae-16d"]["recon"]


def test_a_plain_vae_loses_a_noisy_digit():
    plain = F["mnist-vae-16d"]
    assert plain["psnr_denoised"] < plain["psnr_mean_image"] < F["mnist-dvae"]["psnr_denoised"]


def test_the_elbo_is_a_bound():
    assert F["mnist-vae-bin"]["negative_elbo"] > F["mnist-vae-bin"]["nll"]


def test_a_flow_tightens_the_bound():
    gaps = {name: F[name]["negative_elbo"] - F[name]["nll"] for name in ("mnist-vae-bin", "mnist-iaf")}
    assert gaps["mnist-iaf"] < gaps["mnist-vae-bin"]


def test_other_posteriors_and_priors_raise_the_likelihood():
    assert F["mnist-vae-bin"]["nll"] > max(F["mnist-iaf"]["nll"], F["mnist-vamp"]["nll"])


def test_two_levels_are_as_good_as_a_learnt_prior():
    assert abs(F["mnist-ladder"]["nll"] - F["mnist-vamp"]["nll"]) < 0.3


def test_unlabelled_images_help_a_classifier():
    assert F["mnist-m2"]["accuracy_with_model"] > F["mnist-m2"]["accuracy_labels_alone"] + 0.1


def test_shifts_help_more_than_samples():
    grown = F["mnist-vae-16d"]["augmentation"]
    assert grown["200 shifted"] > max(grown["200 VAE"], grown["200 alone"]) + 0.03
    for name in ("mnist-vae-16d", "fashion-vae-16d"):
        assert all(F[name]["augmentation_error"][f"200 {way}"] < 0.0125 for way in ("alone", "VAE", "shifted"))


# ---- of models


@pytest.fixture(scope="module")
def judge():
    return metrics.load_classifier("mnist", (1, 28, 28), (10,))


def test_the_codes_of_an_autoencoder_lie_far_out():
    codes = store.Store().read_map("mnist-ae-2d").codes
    assert np.abs(codes).max() > 20 and codes.std() > 2


def test_the_codes_of_a_vae_are_spread_like_the_prior():
    codes = store.Store().read_map("mnist-vae-2d").codes
    assert np.abs(codes).max() < 5 and 0.8 < codes.std() < 1.2


def test_more_samples_of_a_vae_are_digits(judge):
    """Than of an autoencoder with the same networks, which reconstructs better."""
    sure, empty = {}, {}
    for name in ("mnist-ae-16d", "mnist-vae-16d"):
        model = vae.load(name)
        x = model.decode(model.sample(1000, generator=torch.Generator().manual_seed(0)))
        sure[name] = float((judge(x)[0].softmax(1).amax(1) > 0.9).float().mean())
        empty[name] = float(comparison.prior_holes(name).split(" %")[0])
    assert sure["mnist-vae-16d"] > sure["mnist-ae-16d"] + 0.15
    assert empty["mnist-ae-16d"] > 5 * empty["mnist-vae-16d"]  # % of samples where no data lives
    assert CARDS["mnist-ae-16d"].model_config() == CARDS["mnist-vae-16d"].model_config()
    assert F["mnist-ae-16d"]["recon"] < F["mnist-vae-16d"]["recon"]


def test_a_decoder_is_as_sure_far_from_all_data():
    model = vae.load("mnist-vae-2d")
    codes = torch.from_numpy(store.Store().read_map("mnist-vae-2d").codes)
    assert float(codes.abs().max()) < 5

    def grey(x):
        return float(torch.minimum(x, 1 - x).mean())

    assert grey(model.decode(torch.tensor([[30.0, -30.0]]))) < 0.5 * grey(model.decode(codes[:500]))


def test_between_two_images_most_codes_decode_to_a_digit(judge):
    model = vae.load("mnist-vae-16d")
    x, y = DATASETS["mnist"].load("test").batch(range(400))
    z = model.encode(x).mean
    other = y[:200] != y[200:]
    middle = model.decode((z[:200] + z[200:])[other] / 2)
    sure = judge(middle)[0].softmax(1).amax(1) > 0.9
    assert 0.55 < float(sure.float().mean()) < 0.95


def test_an_inactive_dimension_changes_nothing():
    model = vae.load("mnist-vae-16d")
    x, _ = DATASETS["mnist"].load("test").batch([0])
    z = model.encode(x).mean
    kl = np.array(F["mnist-vae-16d"]["kl_per_dim"])

    def moves(d):
        other = z.clone()
        other[0, d] += 2
        return float((model.decode(other) - model.decode(z)).abs().max())

    assert max(moves(d) for d in np.flatnonzero(kl < 0.01)) < 0.1 < 0.5 < min(moves(d) for d in np.argsort(-kl)[:5])


def test_half_way_is_one_digit_and_the_fade_shows_two(judge):
    model = vae.load("mnist-vae-16d")
    (step,) = [step for lesson in LESSONS.values() for step in lesson.steps if step.try_.page == "interpolate"]
    rows = [step.try_.settings[f"interpolate_{end}"] for end in "AB"]
    x, y = DATASETS["mnist"].load("test").batch(rows)
    assert y.tolist() == [7, 0]
    middle, fade = model.decode(model.encode(x).mean.mean(0, keepdim=True)), x.mean(0, keepdim=True)
    assert float(judge(middle)[0].softmax(1).max()) > 0.99
    assert float((fade > 0.3).sum()) > 1.3 * float((middle > 0.3).sum())  # the strokes of both


def test_one_z_keeps_its_style_in_every_class(judge):
    """The class is the label's; the amount of ink and the slant are the code's."""
    model = vae.load("mnist-cvae")
    z = model.sample(40, generator=torch.Generator().manual_seed(0))
    ys = torch.arange(10).repeat(40)
    x = model.decode(z.repeat_interleave(10, 0), ys)
    assert (judge(x)[0].argmax(1) == ys).float().mean() > 0.9
    ink = x.sum((1, 2, 3)).view(40, 10)
    place = torch.arange(28.0) - 13.5
    weight = x[:, 0] / x.sum((1, 2, 3))[:, None, None]
    slant = (weight * place[:, None] * place[None, :]).sum((1, 2)).view(40, 10)
    for measure in (ink, slant):
        rank = (measure - measure.mean(0)) / measure.std(0)  # (z, class), what is left of each class's own
        agreement = torch.corrcoef(rank.T)[~torch.eye(10, dtype=torch.bool)].mean()
        assert agreement > 0.4  # one z's digits are alike in it, where another's are not


# ---- of trainings, as on the page Train


def neighbours_agree(codes, labels, k=5):
    """Share of images whose class most of their nearest neighbours in the plane have."""
    distances = ((codes[:, None] - codes[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    nearest = labels[distances.argsort(1)[:, :k]]
    return float(np.mean([np.bincount(row).argmax() == label for row, label in zip(nearest, labels, strict=True)]))


def test_training_separates_classes_without_labels():
    recording = example.recording()
    first, *_, last = recording.frames()
    assert example.PLAN.family == "vae" and first.step == 0
    assert np.linalg.norm(first.codes.std(0)) < 0.1 * np.linalg.norm(last.codes.std(0))
    assert neighbours_agree(last.codes, recording.scene.labels) > 0.6


@functools.lru_cache
def trained(steps, moves=(), images=0):
    """{split: ELBO of 200 images} of a VAE of digits with sixteen dimensions."""
    info = DATASETS["mnist"]
    plan = live.Plan("mnist", latent_dim=16, images=images)
    model = replay.train(plan.recipe(info, steps, moves), info, lambda stage, share: None)
    splits = {"train": training_split(info), "validation": validation_split(info)}
    found = {}
    for name, split in splits.items():
        x, _ = split.batch(range(200))
        with torch.no_grad():
            found[name] = elbo(model(x, generator=torch.Generator().manual_seed(0)), x)
    return found


def mean(term):
    return float(term.mean())


@pytest.mark.slow
def test_two_hundred_images_overfit():
    early, late = trained(400, images=200), trained(1200, images=200)
    assert mean(late["validation"].recon) > mean(early["validation"].recon) + 10
    assert mean(late["train"].recon) < mean(early["train"].recon) - 10


@pytest.mark.slow
def test_ten_thousand_images_do_not_overfit_as_soon():
    gap = {}
    for images in (0, 200):
        terms = trained(1200, images=images)
        gap[images] = mean(terms["validation"].recon) - mean(terms["train"].recon)
    assert gap[0] < 20 < 100 < gap[200]


BEFORE, AT_16, AFTER = (600, ()), (900, ((0, 1.0), (600, 16.0))), (1300, ((0, 1.0), (600, 16.0), (900, 1.0)))


def active(terms):
    return int((terms["validation"].kl_per_dim.mean(0) > 0.5).sum())


@pytest.mark.slow
def test_a_higher_beta_lowers_the_kl_while_training():
    before, after = (trained(*run)["validation"] for run in (BEFORE, AT_16))
    assert mean(after.kl) < 0.4 * mean(before.kl) and mean(after.recon) > mean(before.recon) + 20


@pytest.mark.slow
def test_dimensions_return_when_beta_falls():
    counts = [active(trained(*run)) for run in (BEFORE, AT_16, AFTER)]
    assert counts[1] < counts[0] - 2 and counts[2] > counts[1] + 2
    assert mean(trained(*AFTER)["validation"].recon) < mean(trained(*AT_16)["validation"].recon) - 20


def test_a_higher_beta_leaves_fewer_dimensions():
    assert F["mnist-beta4"]["active_units"] < F["mnist-vae-16d"]["active_units"]

"""What the lessons claim, measured: a step names its tests in `check`, each without its "test_"."""

import functools
import sys

import numpy as np
import pytest
import torch

import vae
from pages.components.compare import comparison
from pages.components.train import example
from vae import latent, lessons, live, metrics, store
from vae.data import DATASETS
from vae.live import replay
from vae.live.images import training_split, validation_split
from vae.models.dvae import add_noise
from vae.objectives import elbo

LESSONS = lessons.read()[0]
STEPS = [(key, number, step) for key, lesson in LESSONS.items() for number, step in enumerate(lesson.steps, 1)]
CHECKS = {check for _, _, step in STEPS for check in step.check}
CARDS = {card.name: card for card in vae.available()}
F = {name: card.figures for name, card in CARDS.items()}
AUTOENCODER, VAE, COLLAPSED = "mnist-ae-16d", "mnist-vae-16d", "mnist-collapsed"


def test_every_check_is_a_test_and_every_test_is_named():
    tests = {name.removeprefix("test_") for name in vars(sys.modules[__name__]) if name.startswith("test_")}
    assert CHECKS == tests - {"every_check_is_a_test_and_every_test_is_named", "every_step_names_a_check"}


def test_every_step_names_a_check():
    unchecked = [f"{key}.{number}" for key, number, step in STEPS if not step.check]
    assert not unchecked


def needs(*names):
    """Skip a test as long as one of these models is not shipped."""
    if missing := [name for name in names if name not in CARDS]:
        pytest.skip(f"{' and '.join(missing)}: not trained yet")


def figures(key, *names):
    needs(*names)
    return [F[name][key] for name in names]


@functools.cache
def loaded(name):
    return vae.load(name)


@functools.cache
def images(n=500, split="test", data="mnist"):
    """Images (n, C, H, W) and labels (n,)."""
    return DATASETS[data].load(split).batch(range(n))


@pytest.fixture(scope="module")
def judge():
    classifier = metrics.load_classifier("mnist", (1, 28, 28), (10,))

    def probabilities(x):
        """The probabilities (N, 10) that the classifier gives to images (N, 1, 28, 28)."""
        return classifier(x)[0].softmax(1)

    return probabilities


def sure(probabilities, threshold=0.95):
    return float((probabilities.amax(1) > threshold).float().mean())


def prior_samples(name, n=1000):
    return loaded(name).sample(n, generator=torch.Generator().manual_seed(0))


def step_of(page, model):
    """The first step on a page with a model."""
    return next(step for _, _, step in STEPS if (step.try_.page, step.try_.model) == (page, model))


# ---- codes


def test_the_codes_of_an_autoencoder_lie_far_out():
    codes = store.Store().read_map("mnist-ae-2d").codes
    assert np.abs(codes).max() > 20 and codes.std() > 2
    assert CARDS["mnist-ae-2d"].recipe.get("weight_decay", 0) == 0


def test_a_code_in_a_gap_need_not_decode_to_a_digit(judge):
    codes = store.Store().read_map("mnist-ae-2d").codes
    axes = np.linspace(*np.quantile(codes, [0.05, 0.95], axis=0), 40).T
    places = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)
    distance = np.linalg.norm(places[:, None] - codes[None, :2000], axis=2).min(1)
    gaps = torch.from_numpy(places[distance > np.quantile(distance, 0.75)]).float()
    assert 0.05 < 1 - sure(judge(loaded("mnist-ae-2d").decode(gaps)), 0.9) < 0.5


def test_one_slider_passes_through_several_digits(judge):
    model = loaded("mnist-vae-2d")
    codes = store.Store().read_map("mnist-vae-2d").codes
    for d in range(2):
        values = torch.linspace(*np.quantile(codes[:, d], [0.002, 0.998]), 200)
        x = model.decode(latent.traversal(torch.zeros(2), d, values.float()))
        classes = judge(x).argmax(1)
        assert len(classes.unique()) >= 3
        steps = (x[1:] - x[:-1]).flatten(1).norm(dim=1)
        assert float(steps.max()) < 0.3 * float((x[-1] - x[0]).norm())  # no jump


def test_the_posterior_depends_on_the_image():
    q = loaded("mnist-vae-2d").encode(images()[0])
    assert (q.mean.std(0) > 0.5).all() and (q.stddev.std(0) > 0.2 * q.stddev.mean(0)).all()


def test_more_dimensions_lower_the_error():
    two, sixteen = figures("recon", "mnist-vae-2d", VAE)
    assert two > sixteen > F[VAE]["recon_floor"] > 40
    assert F["mnist-vae-2d"]["kl"] < F[VAE]["kl"]
    assert (CARDS["mnist-vae-2d"].latent_dim, CARDS[VAE].latent_dim) == (2, 16)


# ---- sampling


def test_the_autoencoder_reconstructs_better():
    auto, variational = figures("recon", AUTOENCODER, VAE)
    assert auto < variational - 5
    assert CARDS[AUTOENCODER].model_config() == CARDS[VAE].model_config()  # the same networks


def test_a_classifier_recognises_more_samples_of_a_vae(judge):
    auto, variational = figures("recognised", AUTOENCODER, VAE)
    assert variational > auto + 0.15 and F[VAE]["recognised_test_images"] > variational
    for name in (AUTOENCODER, VAE):
        assert abs(sure(judge(loaded(name).decode(prior_samples(name, 2000)))) - F[name]["recognised"]) < 0.002
        said = CARDS[name].protocol["recognised"]
        assert "2,000 samples" in said and "above 0.95" in said  # as in the text


def test_neither_size_nor_overfitting_explains_bad_samples():
    assert CARDS[AUTOENCODER].model_config() == CARDS[VAE].model_config()
    model = loaded(AUTOENCODER)
    train, test = (
        float(-model.likelihood(model.encode(x).mean).log_prob(x).mean())
        for x, _ in (images(5000, "train-10k"), images(5000))
    )
    assert abs(test - train) < 0.1 * train


def test_more_samples_of_an_autoencoder_lie_in_empty_regions():
    empty = {name: float(comparison.prior_holes(name).split(" %")[0]) for name in (AUTOENCODER, VAE)}
    assert empty[AUTOENCODER] > 5 * empty[VAE]  # % of samples where no data lives


def test_a_decoder_is_as_sure_far_from_all_data():
    model = loaded("mnist-vae-2d")
    codes = torch.from_numpy(store.Store().read_map("mnist-vae-2d").codes)
    assert float(codes.abs().max()) < 5

    def grey(x):
        return float(torch.minimum(x, 1 - x).mean())

    assert grey(model.decode(torch.tensor([[30.0, -30.0]]))) < 0.5 * grey(model.decode(codes[:500]))


# ---- terms


def test_the_reconstruction_is_the_larger_term():
    assert F[VAE]["recon"] > 2 * F[VAE]["kl"] and F[VAE]["recon"] > F[VAE]["recon_floor"] > 0


def test_a_vae_leaves_dimensions_inactive():
    assert F[VAE]["active_units"] < CARDS[VAE].latent_dim == 16
    kl = np.array(F[VAE]["kl_per_dim"])
    assert (kl < 0.01).sum() == 16 - F[VAE]["active_units"]


def test_an_inactive_dimension_changes_nothing():
    model = loaded(VAE)
    z = model.encode(images(1)[0]).mean
    kl = np.array(F[VAE]["kl_per_dim"])

    def moves(d):
        other = z.clone()
        other[0, d] += 2
        return float((model.decode(other) - model.decode(z)).abs().max())

    assert max(moves(d) for d in np.flatnonzero(kl < 0.01)) < 0.1 < 0.5 < min(moves(d) for d in np.argsort(-kl)[:5])


def test_a_higher_beta_trades_the_kl_for_error():
    names = ("mnist-beta025", VAE, "mnist-beta4", "mnist-beta16")
    assert np.all(np.diff(figures("recon", *names)) > 0) and np.all(np.diff(figures("kl", *names)) < 0)
    assert len({CARDS[name].model_config() for name in names}) == 1
    assert [vae.objectives.read(CARDS[name].recipe).final()["beta"] for name in names] == [0.25, 1, 4, 16]


def test_a_heavier_kl_costs_reconstruction():
    assert np.all(np.diff(figures("recon", AUTOENCODER, VAE, "mnist-beta4", COLLAPSED)) > 0)


def test_a_heavier_kl_lowers_the_rate():
    assert F["mnist-beta4"]["kl"] < F[VAE]["kl"]


# ---- reparametrisation


def test_sampling_again_changes_z_and_not_the_posterior():
    model, x = loaded("mnist-vae-2d"), images(1)[0]
    first, again = (model(x, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert torch.equal(first.posterior.mean, again.posterior.mean)
    assert torch.equal(first.posterior.stddev, again.posterior.stddev)
    assert not torch.equal(first.z, again.z)
    assert not torch.equal(model.decode(first.z), model.decode(again.z))


def test_posterior_samples_keep_the_digit(judge):
    model, x = loaded(VAE), images(2000)[0]
    q = model.encode(x)
    z = q.push(torch.randn(q.mean.shape, generator=torch.Generator().manual_seed(0)))
    of_mean, of_sample = (model.decode(code) for code in (q.mean, z))
    assert float((judge(of_mean).argmax(1) == judge(of_sample).argmax(1)).float().mean()) > 0.9
    change = (of_mean - of_sample).flatten(1).norm(dim=1)
    others = (of_mean - of_mean.roll(1, 0)).flatten(1).norm(dim=1)
    assert 0.05 < float((change / others).mean()) < 0.6  # it moves, and much less than to another image
    kl = np.array(F[VAE]["kl_per_dim"])
    assert 0.05 < float(q.stddev[:, kl > 0.1].mean()) < 0.5  # neither the prior's nor 0


def test_gradients_reach_mu_and_sigma_through_epsilon():
    mu, sigma, epsilon = torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True), torch.randn(3)
    (mu + sigma * epsilon).sum().backward()
    torch.testing.assert_close(mu.grad, torch.ones(3))
    torch.testing.assert_close(sigma.grad, epsilon)
    assert not torch.distributions.Normal(mu, sigma).sample().requires_grad


def test_temperature_zero_decodes_the_mean_code():
    model = loaded(VAE)
    x = model.decode(model.sample(36, 0.0, torch.Generator().manual_seed(3)))
    assert float((x - x[0]).abs().max()) < 1e-6
    mean_image = images(10_000)[0].mean(0)
    torch.testing.assert_close(x[0], model.decode(torch.zeros(1, 16))[0])
    # further from the mean image than half of all reconstructions are from their images
    assert float((x[0] - mean_image).norm()) > 0.5 * float(mean_image.norm())


# ---- interpolation


def path_of(step):
    """The images (2, 1, 28, 28) that a step interpolates, and their codes (2, D)."""
    x = DATASETS["mnist"].load("test").batch([step.try_.settings[f"interpolate_{end}"] for end in "AB"])[0]
    return x, loaded(step.try_.model).encode(x).mean


def test_half_way_is_one_digit_and_the_fade_shows_two(judge):
    step = step_of("interpolate", VAE)
    x, z = path_of(step)
    assert [int(y) for y in judge(x).argmax(1)] == [7, 0]  # as in the text
    middle, fade = loaded(VAE).decode(z.mean(0, keepdim=True)), x.mean(0, keepdim=True)
    assert float(judge(middle).max()) > 0.99
    assert float((fade > 0.3).sum()) > 1.3 * float((middle > 0.3).sum())  # the strokes of both


def test_the_great_arc_changes_the_middle_a_little(judge):
    model = loaded(VAE)
    (a, b), t = path_of(step_of("interpolate", VAE))[1], torch.linspace(0, 1, 9)
    line, arc = latent.lerp(a, b, t), latent.slerp(a, b, t)
    assert float(line[4].norm()) < float(arc[4].norm())
    change = (model.decode(line) - model.decode(arc)).flatten(1).norm(dim=1)
    ends = (model.decode(a[None]) - model.decode(b[None])).norm()
    assert 0.02 < float(change.max() / ends) < 0.6
    assert float((judge(model.decode(line)).amax(1) > 0.9).float().mean()) > 0.5  # digits on the straight line
    assert F[VAE]["active_units"] <= 12  # "about ten"


def test_support_falls_beyond_the_images(judge):
    codes = store.Store().read_map(VAE).codes
    z = latent.lerp(*path_of(step_of("interpolate", VAE))[1], torch.linspace(-0.25, 1.25, 9))
    support = latent.support(z.numpy(), codes, latent.local_distances(codes))
    assert max(support[0], support[8]) < support[1:8].min() - 0.1
    assert float(judge(loaded(VAE).decode(z[[0, 8]])).amax(1).min()) > 0.95


def half_way(judge, name, threshold):
    """The share of codes half-way between test images of different digits that decode to a clear digit."""
    x, y = images(2000)
    z = loaded(name).encode(x).mean
    other = y[:1000] != y[1000:]
    return sure(judge(loaded(name).decode((z[:1000] + z[1000:])[other] / 2)), threshold)


def test_half_way_in_an_autoencoder_is_less_often_a_digit(judge):
    for threshold in (0.9, 0.95):
        assert half_way(judge, AUTOENCODER, threshold) < half_way(judge, VAE, threshold) - 0.08


# ---- map


def test_between_two_images_most_codes_decode_to_a_digit(judge):
    assert 0.55 < half_way(judge, VAE, 0.9) < 0.95


def test_umap_is_more_trustworthy_than_pca():
    trust = CARDS[VAE].map["trustworthiness"]
    assert trust["umap"] > 0.9 > trust["pca"]


def map_of(name):
    """{kind: positions (N, 2)} of a model's map, its codes (N, D) and labels (N,)."""
    encoded = store.Store().read_map(name)
    return encoded, DATASETS["mnist"].load("test").labels[encoded.rows]


def test_distances_between_clusters_change_with_the_seed():
    """The ranks of the distances between class centres agree less than those between near neighbours do."""
    encoded, labels = map_of(VAE)
    distances = {}
    for kind in ("umap", "umap_again"):
        centres = np.stack([np.median(encoded.layouts[kind][labels == y], 0) for y in range(10)])
        distances[kind] = np.linalg.norm(centres[:, None] - centres, axis=2)[np.triu_indices(10, 1)]
    ratio = distances["umap"] / distances["umap_again"]
    assert np.quantile(ratio, 0.9) > 1.4 * np.quantile(ratio, 0.1)


def neighbours_agree(codes, labels, k=5):
    """Share of images whose class most of their nearest neighbours in the plane have."""
    distances = ((codes[:, None] - codes[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    nearest = labels[distances.argsort(1)[:, :k]]
    return float(np.mean([np.bincount(row).argmax() == label for row, label in zip(nearest, labels, strict=True)]))


def test_neighbours_on_the_map_share_the_class():
    encoded, labels = map_of(VAE)
    assert neighbours_agree(encoded.layouts["umap"][:2000], labels[:2000]) > 0.85
    assert loaded(VAE).num_classes == 0  # no label reaches the model


def test_ones_have_the_lowest_error_and_the_lowest_floor():
    encoded, labels = map_of(VAE)
    floor = metrics.reconstruction.pixel_entropy(images(10_000)[0]).numpy()
    every = DATASETS["mnist"].load("test").labels
    for values, classes in ((encoded.recon, labels), (floor, every)):
        assert int(np.argmin([values[classes == y].mean() for y in range(10)])) == 1
    x = images(10_000)[0].flatten(1)
    grey = ((x > 0) & (x < 1)).sum(1).numpy()
    assert int(np.argmin([grey[every == y].mean() for y in range(10)])) == 1  # as in the answer


# ---- disentangling


def information(name):
    """Mutual information (D, K) as a share of each factor's entropy."""
    return np.array(F[name]["mutual_information"]) / np.array(F[name]["factor_entropy"])


def test_a_dimension_of_a_plain_vae_mixes_factors():
    shape, scale, _, x, y = range(5)
    order = np.argsort(-np.array(F["sprites-vae"]["kl_per_dim"]))  # of the sliders
    shares = information("sprites-vae")[order]
    for first in shares[:3]:
        assert set(np.argsort(-first)[:2]) == {x, y} and first[x] + first[y] > 3 * (first[shape] + first[scale]) > 0
    assert set(np.argsort(-shares[3])[:2]) == {scale, shape} and shares[3, shape] > 0.05
    assert shares.max() < 0.5  # no dimension holds half of a factor
    assert F["sprites-vae"]["mig"] < 0.2 and F["sprites-vae"]["mig_random"] < 0.01


def test_the_prior_prefers_no_axes():
    model = loaded("sprites-vae")
    z = model.prior.sample((100,))
    rotation = torch.linalg.qr(torch.randn(len(z[0]), len(z[0]), generator=torch.Generator().manual_seed(0)))[0]
    torch.testing.assert_close(model.prior.log_prob(z @ rotation), model.prior.log_prob(z))


def test_shape_and_orientation_have_no_dimension():
    grid = DATASETS["sprites"].grid
    assert grid.names == ("shape", "scale", "orientation", "x", "y")  # as in the text
    gaps = F["sprites-ada"]["mig_gaps"]
    assert max(gaps[0], gaps[2]) < 0.1 < 0.4 < min(gaps[1], gaps[3], gaps[4])
    assert (information("sprites-ada")[:, 0] > 0.3).sum() > 3  # shape is spread over several dimensions
    rows = np.array([[shape, 5, turn, 16, 16] for shape in (0, 2) for turn in (0, 10, 39)])  # 0°, 92°, 360°
    square, heart = grid.render(rows).astype(float).reshape(2, 3, -1)
    assert np.array_equal(square[0], square[1]) and not np.array_equal(heart[0], heart[1])  # another period
    assert np.array_equal(square[0], square[2]) and np.array_equal(heart[0], heart[2])  # a circle


def test_seeds_move_the_mig():
    names = ("rooms-btcvae", "rooms-btcvae-seed1", "rooms-btcvae-seed2")
    first, *others = (CARDS[name].recipe for name in names)
    for other in others:
        assert {key for key in first if first[key] != other[key]} == {"seed"}
    assert np.diff(sorted(figures("mig", *names))).min() > 0.1
    floor = [gaps[0] for gaps in figures("mig_gaps", *names)]
    assert floor[0] < 0.1 < 0.3 < min(floor[1:])
    assert DATASETS["rooms"].grid.names[:2] == ("floor hue", "wall hue")
    assert ((information(names[0])[:, :2] > 0.1).all(1)).sum() == 2  # two dimensions mix them
    # the factors that the busiest dimension of each run holds, which the step asks to count
    busiest = [information(name)[np.argmax(F[name]["kl_per_dim"])] for name in names]
    held = [(of_one > 0.1).sum() for of_one in busiest]
    assert held[0] > 1 and held[1:] == [1, 1]


def test_pairs_separate_more_factors():
    names = DATASETS["rooms"].grid.names
    migs = figures("mig", "rooms-vae", "rooms-btcvae", "rooms-ada")
    assert migs[0] < migs[1] - 0.1 < migs[2] - 0.2
    gaps = figures("mig_gaps", "rooms-vae", "rooms-btcvae", "rooms-ada")
    separate = [sum(gap > 0.3 for gap in of_one) for of_one in gaps]
    assert separate[0] < separate[1] < separate[2] == 6
    ada, btcvae = F["rooms-ada"]["mig_gaps"], F["rooms-btcvae"]["mig_gaps"]
    assert names[np.argmin(ada)] == "shape" and names[np.argmin(btcvae)] == "floor hue"  # as in the text


# ---- collapse


def test_a_collapsed_model_has_no_kl():
    assert F[COLLAPSED]["kl"] < 0.005 and F[COLLAPSED]["active_units"] == 0


def test_a_collapsed_model_returns_one_image():
    x = loaded(COLLAPSED).reconstruct(images()[0])
    assert float((x - x[0]).abs().max()) < 0.02


def test_inactive_dimensions_have_the_prior_as_posterior():
    q, kl = loaded(VAE).encode(images()[0]), np.array(F[VAE]["kl_per_dim"])
    off, on = np.flatnonzero(kl < 0.01), np.argsort(-kl)[:5]
    assert float(q.mean[:, off].abs().max()) < 0.1 and float((q.stddev[:, off] - 1).abs().max()) < 0.1
    assert float(q.stddev[:, on].mean()) < 0.3


def test_dimensions_switch_off_one_by_one():
    names = (VAE, "mnist-beta4", COLLAPSED)
    active = figures("active_units", *names)
    assert active[0] > active[1] > active[2] == 0
    kl = [np.array(values) for values in figures("kl_per_dim", *names[:2])]
    assert all(((values < 0.01) | (values > 0.5)).all() for values in kl)  # off, or far from it
    assert kl[1].max() > 0.5 * kl[0].max()
    assert [vae.objectives.read(CARDS[name].recipe).final()["beta"] for name in names] == [1, 4, 60]


def test_samples_of_a_collapsed_model_are_the_mean_image(judge):
    x = loaded(COLLAPSED).decode(prior_samples(COLLAPSED, 100))
    assert float((x - x[0]).abs().max()) < 0.02
    mean_image = images(10_000)[0].mean(0)
    assert float((x[0] - mean_image).norm()) < 0.1 * float(mean_image.norm())
    assert float(judge(x).amax(1).max()) < 0.95


# ---- blur


def test_grey_is_the_best_guess_for_an_uncertain_pixel():
    guesses = torch.linspace(0.01, 0.99, 99)
    cross_entropy = -0.5 * (guesses.log() + (1 - guesses).log())
    squared = 0.5 * (guesses**2 + (1 - guesses) ** 2)
    for cost in (cross_entropy, squared):
        assert float(guesses[cost.argmin()]) == pytest.approx(0.5)
    absolute = 0.5 * (guesses + (1 - guesses))
    assert float(absolute.max() - absolute.min()) < 1e-6  # what the misconception has right


def test_a_fixed_sigma_of_1_blurs_most():
    names = (VAE, "mnist-fixed-sigma", "mnist-learned-sigma", "mnist-vaegan")
    sharpness = figures("sharpness", *names)
    assert int(np.argmin(sharpness)) == 1 and sharpness[1] < 0.7 * F[VAE]["sharpness_of_images"]
    assert sharpness[3] > sharpness[0]
    configs = [CARDS[name].model_config() for name in names]
    assert len({(c.network, c.encoder, c.decoder, c.latent_dim) for c in configs}) == 1
    assert [c.likelihood for c in configs] == ["bernoulli", "gaussian", "gaussian_learned", "bernoulli"]
    assert configs[1].sigma == 1


def test_a_learned_sigma_buys_sharpness_with_kl():
    names = ("mnist-fixed-sigma", "mnist-learned-sigma")
    for key in ("sharpness", "kl", "active_units"):
        fixed, learned = figures(key, *names)
        assert learned > fixed
    x, _ = images(1000)
    errors = [float(((loaded(name).reconstruct(x) - x) ** 2).mean()) for name in names]
    assert errors[1] < errors[0]  # a closer reconstruction
    assert float(loaded("mnist-learned-sigma").pixels.sigma) < 0.5
    fixed, learned = figures("recognised", *names)
    assert learned < fixed - 0.15


def test_a_discriminator_sharpens_and_costs_error():
    plain, adversarial = (F[name] for name in ("faces-vae", "faces-vaegan"))
    assert adversarial["sharpness"] > 1.1 * plain["sharpness"] and adversarial["recon"] > plain["recon"] + 10
    assert CARDS["faces-vaegan"].recipe["starts_from"] == "faces-vae"


# ---- priors


def test_the_elbo_is_a_bound():
    assert F["mnist-vae-bin"]["negative_elbo"] > F["mnist-vae-bin"]["nll"]


def test_a_learned_prior_raises_the_likelihood():
    for key in ("nll", "kl"):
        plain, learned = figures(key, "mnist-vae-bin", "mnist-vamp")
        assert learned < plain - 1
    plain, learned = (CARDS[name].model_config() for name in ("mnist-vae-bin", "mnist-vamp"))
    assert (plain.encoder, plain.decoder, plain.channels) == (learned.encoder, learned.decoder, learned.channels)


def test_uniform_indices_cost_more_than_twice_the_nats():
    model = loaded("mnist-vqvae")
    assert (model.latent_dim, model.codebook_size) == (49, 64)  # as in the text
    assert 49 * np.log(64) > 2 * F["mnist-vqvae"]["kl"]


def test_half_way_in_a_vq_vae_is_one_half_of_each():
    model = loaded("mnist-vqvae")
    x, _ = path_of(step_of("interpolate", VAE))
    a, b = model.encode(x).mean
    middle = model.decode(latent.swap(a, b, torch.tensor([0.5])))
    upper, lower = ((model.decode(end[None]) - middle).abs().mean((0, 1, 3)) for end in (a, b))  # of each row (28,)
    assert max(float(lower[:8].mean()), float(upper[20:].mean())) < 0.02  # B's rows above, A's below
    assert min(float(upper[4:12].mean()), float(lower[16:24].mean())) > 0.05


# ---- leaks


def test_a_model_of_200_images_fails_on_others():
    assert F["mnist-few"]["recon"] > 2 * F[VAE]["recon"]
    assert CARDS["mnist-few"].recipe["images"] == 200  # as in the text


def share_closer_than_test_images(name):
    """Of samples: closer to a training image than 95 % of test images are."""
    memory = store.Store().read_memory(name)
    return float((memory.samples < np.quantile(memory.held_out, 0.05)).mean()), memory


def test_a_model_of_200_images_repeats_them():
    share, memory = share_closer_than_test_images("mnist-few")
    assert share > 0.1 and float(np.median(memory.samples)) < float(np.median(memory.held_out))


def test_smooth_samples_are_close_without_copies():
    share, memory = share_closer_than_test_images(VAE)
    assert abs(float(np.median(memory.samples) / np.median(memory.held_out)) - 1) < 0.05 and share < 0.05


def test_blurred_clothes_look_more_usual_than_sharp_ones():
    clothes = F["fashion-vae-16d"]
    assert max(clothes["auroc_excess_blurred"], clothes["auroc_squared_error_blurred"]) < 0.45
    assert clothes["auroc_excess_mnist"] > 0.95


def test_a_plain_vae_loses_a_noisy_digit(judge):
    plain = F[VAE]
    assert plain["psnr_denoised"] < plain["psnr_mean_image"] < F["mnist-dvae"]["psnr_denoised"]
    x, y = images(1000)
    noisy = add_noise(x, 0.5, torch.Generator().manual_seed(0))
    assert LESSONS["leaks"].steps[3].try_.settings["denoise_std"] == 0.5
    kept = {
        name: float((judge(loaded(name).reconstruct(noisy)).argmax(1) == y).float().mean())
        for name in (VAE, "mnist-dvae")
    }
    assert kept[VAE] < 0.25 and kept["mnist-dvae"] > 0.8


# ---- of trainings, as on the page Train

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
    last = list(example.recording().frames())[-1]
    assert last.train[0] < last.validation[0] - 5  # with more steps, the curves part with 10,000 images too


BEFORE, AT_16, AFTER = (600, ()), (900, ((0, 1.0), (600, 16.0))), (1300, ((0, 1.0), (600, 16.0), (900, 1.0)))


def active(terms):
    return int((terms["validation"].kl_per_dim.mean(0) > 0.5).sum())


@pytest.mark.slow
def test_a_higher_beta_lowers_the_kl_while_training():
    before, after = (trained(*run)["validation"] for run in (BEFORE, AT_16))
    assert mean(after.kl) < 0.4 * mean(before.kl) and mean(after.recon) > mean(before.recon) + 20


@pytest.mark.slow
def test_dimensions_shrink_by_different_factors_while_training():
    before, after = (trained(*run)["validation"].kl_per_dim.mean(0) for run in (BEFORE, AT_16))
    left = (after / before)[before > 0.5]
    assert float(left.min()) < 0.1 and float(left.max()) > 0.2
    assert 0 < F["mnist-beta16"]["active_units"] < F[VAE]["active_units"]  # not all, in the end


@pytest.mark.slow
def test_dimensions_return_when_beta_falls():
    counts = [active(trained(*run)) for run in (BEFORE, AT_16, AFTER)]
    assert counts[1] < counts[0] - 2 and counts[2] > 0.6 * counts[0]  # most of them
    assert mean(trained(*AFTER)["validation"].recon) < mean(trained(*AT_16)["validation"].recon) - 20


def test_a_higher_beta_leaves_fewer_dimensions():
    assert F["mnist-beta4"]["active_units"] < F["mnist-vae-16d"]["active_units"]

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score
from sklearn.svm import LinearSVC

from vae import metrics
from vae.metrics.disentanglement import dci_of_importance
from vae.models import FAMILIES, NetworkConfig
from vae.models.likelihoods import LIKELIHOODS
from vae.objectives import elbo


def factors(n=4000, sizes=(3, 5, 8), seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, size, n) for size in sizes], axis=1)


def test_one_code_per_factor_gives_one():
    v = factors()
    found = metrics.mig(v.astype(float), v)
    # what is left of the gap is what two independent factors share by chance
    assert found.mig == pytest.approx(1, abs=0.02)
    assert found.gaps == pytest.approx((1, 1, 1), abs=0.02)


def test_duplicated_codes_have_no_gap():
    v = factors()
    assert metrics.mig(np.concatenate([v, v], axis=1).astype(float), v).mig == pytest.approx(0)


def test_permuting_dimensions_changes_nothing():
    v = factors()
    codes = np.random.default_rng(1).normal(size=(4000, 3)) + v
    assert metrics.mig(codes[:, [2, 0, 1]], v).mig == pytest.approx(metrics.mig(codes, v).mig)


def test_rotation_mixes_and_lowers():
    v = factors(sizes=(8, 8))
    codes = v - 3.5
    c = np.cos(np.pi / 4)
    rotated = codes @ np.array([[c, -c], [c, c]])
    assert metrics.mig(rotated, v).mig < 0.1 < 0.95 < metrics.mig(codes, v).mig


def test_random_codes_are_near_zero():
    codes = np.random.default_rng(2).normal(size=(4000, 6))
    assert metrics.mig(codes, factors()).mig < 0.01


def channels(n, seed):
    """Two binary factors and a dimension for each that is right nine times in ten, and of each gap the exact value."""
    rng = np.random.default_rng(seed)
    v = rng.integers(0, 2, (n, 2))
    codes = np.where(rng.random((n, 2)) < 0.9, v, 1 - v).astype(float)
    return codes, v


EXACT_GAP = 1 + 0.9 * np.log2(0.9) + 0.1 * np.log2(0.1)  # bits that a binary symmetric channel passes of one


def test_the_error_of_mig_covers_the_known_value():
    inside = 0
    for seed in range(40):
        found = metrics.mig(*channels(1000, seed), baseline=False, resamples=60)
        inside += abs(found.mig - EXACT_GAP) < 2 * found.error
    # two standard errors cover 95 % of 40, give or take 3
    assert 33 <= inside


def test_the_error_of_mig_is_the_spread_over_data_sets_and_falls_with_their_size():
    values = [metrics.mig(*channels(1000, seed), baseline=False, resamples=0).mig for seed in range(200)]
    errors = [metrics.mig(*channels(1000, seed), baseline=False).error for seed in range(3)]
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.2)
    assert metrics.mig(*channels(16_000, 0), baseline=False).error == pytest.approx(np.mean(errors) / 4, rel=0.25)
    without = metrics.mig(*channels(100, 0), resamples=0)
    assert without.error is None and without.once_error is None


def test_a_dimension_counts_for_one_factor():
    """One that holds two factors, and one for each of two others: the smaller gap of the first is not counted."""
    v = factors(8000, (2, 4, 3, 3))
    codes = np.c_[4 * v[:, 0] + v[:, 1], v[:, 2], v[:, 3]].astype(float)
    found = metrics.mig(codes, v)
    assert found.mig == pytest.approx(1, abs=0.01) and found.once == pytest.approx(3 / 4, abs=0.01)
    own = metrics.mig(v.astype(float), v)
    assert own.once == pytest.approx(own.mig) and own.once_error == pytest.approx(own.error)


def test_constant_factors_are_left_out():
    v = factors()
    with_constant = np.concatenate([v, np.full((4000, 1), 7)], axis=1)
    found = metrics.mig(v.astype(float), with_constant)
    assert found.gaps[3] is None and found.entropy[3] == 0
    assert found.mig == pytest.approx(metrics.mig(v.astype(float), v).mig)
    with pytest.raises(ValueError, match="every factor is constant"):
        metrics.mig(v.astype(float), np.zeros((4000, 2), int))


def test_mutual_information_equals_scikit_learn_on_disentanglement_libs_bins():
    rng = np.random.default_rng(3)
    v = factors()
    codes = rng.normal(size=(4000, 4)) + v[:, [0, 1, 2, 0]]
    found = metrics.mig(codes, v, bins=20)
    for d in range(4):
        edges = np.histogram(codes[:, d], 20)[1][:-1]
        binned = np.digitize(codes[:, d], edges)
        for k in range(3):
            expected = mutual_info_score(v[:, k], binned)
            assert found.mutual_information[d, k] == pytest.approx(expected, abs=1e-10)
    expected = [mutual_info_score(f, f) for f in v.T]
    np.testing.assert_allclose(found.entropy, expected)
    ordered = np.sort(found.mutual_information, axis=0)
    assert found.mig == pytest.approx(np.mean((ordered[-1] - ordered[-2]) / expected))


def test_bad_codes_are_named():
    v = factors(100)
    codes = v.astype(float)
    codes[3, 1] = np.nan
    with pytest.raises(ValueError, match="dimension 1"):
        metrics.mig(codes, v)
    with pytest.raises(ValueError, match="with the same N"):
        metrics.mig(codes[:50], v)
    with pytest.raises(ValueError, match="two dimensions"):
        metrics.mig(v[:, :1].astype(float), v)


SCORES = {
    "mig": metrics.mig,
    "sap": metrics.sap,
    "modularity": metrics.modularity,
    "factor_vae_score": metrics.factor_vae_score,
    "beta_vae_score": metrics.beta_vae_score,
    "dci": metrics.dci,
}


@pytest.fixture(scope="module")
def scores_of():
    """Each metric on some known codes for two factors of five values; DCI costs seconds each."""
    v = factors(3000, sizes=(5, 5))
    c = np.cos(np.pi / 4)
    noise = np.random.default_rng(1).normal(size=v.shape) * 0.05
    diagonal = v - 2 + noise
    codes = {
        "diagonal": diagonal,
        "permuted": diagonal[:, ::-1],
        "duplicated": np.concatenate([diagonal, diagonal], axis=1),
        "rotated": diagonal @ np.array([[c, -c], [c, c]]),
        "random": np.random.default_rng(2).normal(size=v.shape),
    }
    return {
        name: {kind: score(z, v, baseline=False)[0] for kind, z in codes.items()}
        for name, score in SCORES.items()
    }


@pytest.mark.parametrize("name", SCORES)
def test_one_dimension_per_factor_is_the_best_there_is(scores_of, name):
    found = scores_of[name]
    # SAP's classifier is linear: it cannot single out a value that lies between others
    assert found["diagonal"] > 0.6 if name == "sap" else found["diagonal"] > 0.94
    assert found["permuted"] == pytest.approx(found["diagonal"], abs=0.01)
    assert found["rotated"] < found["diagonal"] - 0.3


def test_a_second_copy_leaves_no_gap_but_stays_modular(scores_of):
    assert scores_of["mig"]["duplicated"] == pytest.approx(0)
    assert scores_of["sap"]["duplicated"] == pytest.approx(0)
    assert scores_of["modularity"]["duplicated"] == pytest.approx(scores_of["modularity"]["diagonal"])
    assert scores_of["dci"]["duplicated"] == pytest.approx(1, abs=0.02)


def test_random_codes_score_by_chance(scores_of):
    found = {name: scores["random"] for name, scores in scores_of.items()}
    assert found["mig"] < 0.01 and found["sap"] < 0.05 and found["dci"] < 0.1
    assert found["modularity"] > 0.2  # the measure's weakness, and why a baseline stands beside it
    assert found["factor_vae_score"] == pytest.approx(0.5, abs=0.1)
    assert found["beta_vae_score"] == pytest.approx(0.5, abs=0.1)


def test_dci_of_known_importances():
    assert dci_of_importance(np.eye(4)) == pytest.approx((1, 1))
    # one dimension serves two of ten factors, and is all there is
    one = np.zeros((1, 10))
    one[0, :2] = 0.5
    assert dci_of_importance(one)[0] == pytest.approx(1 - np.log(2) / np.log(10))
    # two dimensions share one factor: each is pure, the factor is not complete
    shared = np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    disentangled, complete = dci_of_importance(shared)
    assert disentangled == pytest.approx(1)
    assert complete == pytest.approx((2 * (1 - np.log(2) / np.log(4)) + 1 + 1) / 4)
    # a dimension that nothing relies on weighs nothing
    assert dci_of_importance(np.vstack([np.eye(3), np.zeros(3)]))[0] == pytest.approx(1)


def test_modularity_of_one_code_for_two_of_ten_factors():
    v = np.random.default_rng(0).integers(0, 2, (20_000, 10))
    code = (2 * v[:, 0] + v[:, 1]).astype(float)[:, None]
    found = metrics.modularity(code, v, baseline=False)
    assert found.modularity == pytest.approx(1 - 1 / 9, abs=1e-3)
    idle = np.concatenate([code, np.zeros_like(code)], axis=1)
    assert metrics.modularity(idle, v, baseline=False).per_dim[1] == 0
    # rounding must not make something of nothing, whatever the number of rows
    for n in (999, 3001, 9999):
        v = np.random.default_rng(0).integers(0, (3, 6, 40, 32, 32), (n, 5))
        still = metrics.modularity(np.ones((n, 1)), v, baseline=False)
        assert still.per_dim[0] == 0 and not still.mutual_information.any()


def test_sap_equals_scikit_learns_support_vector_machine():
    rng = np.random.default_rng(4)
    v = factors(1500, sizes=(2, 3, 7))
    codes = np.stack([v[:, 0] + rng.normal(size=1500), v[:, 2] - v[:, 1] * 2, rng.normal(size=1500)], 1)
    found = metrics.sap(codes, v, baseline=False)
    for d in range(3):
        for k in range(3):
            svm = LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-10, max_iter=10**5)
            svm.fit(codes[:1000, d : d + 1], v[:1000, k])
            assert found.accuracy[d, k] == svm.score(codes[1000:, d : d + 1], v[1000:, k])
    ordered = np.sort(found.accuracy, axis=0)
    assert found.sap == pytest.approx((ordered[-1] - ordered[-2]).mean())


def test_factor_vae_votes_are_in_units_of_each_dimension():
    """A dimension that hardly moves at all is not what varies least; below 0.05 it has no vote."""
    v = factors(6000, sizes=(5, 5))
    codes = np.stack([100.0 * v[:, 0], 0.1 * v[:, 1], 0.001 * v[:, 0]], 1)
    found = metrics.factor_vae_score(codes, v, baseline=False)
    assert found.active == (0, 1) and found.score > 0.99
    assert metrics.factor_vae_score(codes * 1e-6, v).score == 0


@pytest.mark.parametrize("name", SCORES)
def test_every_result_says_how_it_was_measured_and_what_chance_gets(name):
    v = factors(300, sizes=(2, 3))
    found = SCORES[name](v + 0.5, v)
    assert 0 <= found.random < found[0] and len(found.protocol) > 20
    assert found.constant == ()
    with_constant = np.concatenate([v, np.full((300, 1), 7)], axis=1)
    again = SCORES[name](v + 0.5, with_constant)
    assert again.constant == (2,) and again[0] == pytest.approx(found[0], abs=0.02)
    codes = v.astype(float)
    codes[3, 1] = np.inf
    with pytest.raises(ValueError, match="dimension 1"):
        SCORES[name](codes, v)


def test_constant_codes_tell_nothing():
    v = factors(600)
    still = np.zeros((600, 2))
    for name, score in SCORES.items():
        if name != "dci":  # trees cannot split what is constant
            best_guess = {"beta_vae_score": 0.4, "sap": 0.01}.get(name, 0)
            assert score(still, v, baseline=False)[0] <= best_guess, name
    assert metrics.dci(still, v, baseline=False).disentanglement == 0


def test_total_correlation_of_known_gaussians():
    rng = np.random.default_rng(5)
    codes = rng.normal(size=(50_000, 2)) @ np.linalg.cholesky([[1, 0.6], [0.6, 1]]).T
    found = metrics.total_correlation(codes)
    assert found.total_correlation == pytest.approx(-0.5 * np.log(1 - 0.36), abs=0.01)
    # neither scale, nor order, nor a dimension that stands still or hardly moves changes it
    faint = 0.01 * codes.sum(1, keepdims=True)  # a collapsed dimension follows from the others
    other = np.concatenate([codes[:, ::-1] * [3, 0.5] + 7, np.ones((50_000, 1)), faint], axis=1)
    assert metrics.total_correlation(other)[0] == pytest.approx(found.total_correlation)
    assert metrics.total_correlation(codes[:, [0, 0]])[0] == np.inf
    assert metrics.total_correlation(rng.normal(size=(50_000, 3)))[0] == pytest.approx(0, abs=0.001)


def test_active_units_by_hand():
    means = np.zeros((1000, 3))
    means[::2, 0], means[1::2, 0] = 1, -1  # variance 1
    means[::2, 1], means[1::2, 1] = 0.05, -0.05  # variance 0.0025
    found = metrics.active_units(means)
    assert found.active_units == 1
    np.testing.assert_allclose(found.variances, [1, 0.0025, 0])


def test_average_terms_are_means_of_the_objectives_terms():
    torch.manual_seed(0)
    model = FAMILIES["vae"](NetworkConfig((1, 6, 6), latent_dim=2, encoder=(8,), decoder=(8,))).eval()
    x = torch.rand(10, 1, 6, 6)
    y = torch.zeros(10, dtype=torch.long)
    found = metrics.average_terms(model, [(x[:4], y[:4]), (x[4:], y[4:])], seed=5)
    g = torch.Generator().manual_seed(5)
    with torch.no_grad():
        parts = [elbo(model(part, generator=g), part) for part in (x[:4], x[4:])]
        at_mean = -model.likelihood(model.encode(x).mean).log_prob(x)
    recon = torch.cat([part.recon for part in parts])
    kl = torch.cat([part.kl for part in parts])
    assert found.recon == pytest.approx(recon.mean().item(), rel=1e-6)
    assert found.kl == pytest.approx(kl.mean().item(), rel=1e-6)
    assert found.kl == pytest.approx(found.kl_per_dim.sum())
    np.testing.assert_allclose(found.recon_at_mean, at_mean, rtol=1e-5)
    # a decoder that gave back x itself: the binary cross-entropy of x with x
    floor = torch.nn.functional.binary_cross_entropy(x, x, reduction="none").sum((1, 2, 3)).mean()
    assert found.recon_floor == pytest.approx(floor.item(), rel=1e-5) and floor < recon.mean()
    assert found.means.shape == found.sigmas.shape == (10, 2)


@pytest.mark.parametrize("likelihood", list(LIKELIHOODS))
def test_only_a_cross_entropy_has_a_lowest_possible_value(likelihood):
    torch.manual_seed(0)
    config = NetworkConfig((1, 6, 6), latent_dim=2, encoder=(8,), decoder=(8,), likelihood=likelihood)
    model = FAMILIES["vae"](config).eval()
    x = torch.full((3, 1, 6, 6), 0.5)
    found = metrics.average_terms(model, [(x, torch.zeros(3, dtype=torch.long))])
    scores = metrics.outlier_scores(model, x, torch.Generator().manual_seed(0))
    if likelihood == "bernoulli":
        assert found.recon_floor == pytest.approx(36 * np.log(2))
        np.testing.assert_allclose(scores.excess, scores.negative_elbo - 36 * np.log(2), rtol=1e-3)
    else:
        assert found.recon_floor is None and scores.excess is None
        assert np.isfinite(scores.negative_elbo).all()


def test_code_usage_of_known_codes():
    uniform = metrics.code_usage(np.arange(40).reshape(10, 4) % 8, size=8)
    assert uniform.used == 8 and uniform.perplexity == pytest.approx(8)
    one = metrics.code_usage(np.full((10, 4), 3.0), size=8)
    assert one.used == 1 and one.perplexity == pytest.approx(1)
    # three quarters one number, one quarter another
    uneven = metrics.code_usage(np.array([[0, 0, 0, 5]]), size=8)
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert uneven.perplexity == pytest.approx(np.exp(entropy)) and uneven.used == 2
    for bad in ([[8]], [[-1]], [[0.5]], [[np.nan]]):
        with pytest.raises(ValueError):
            metrics.code_usage(np.array(bad), size=8)


def test_psnr_by_hand():
    x = torch.zeros(2, 1, 4, 4)
    found = metrics.psnr(x, x + torch.tensor([0.1, 1.0])[:, None, None, None])
    torch.testing.assert_close(found, torch.tensor([20.0, 0.0]))
    assert metrics.psnr(x, x).isinf().all()


def test_overlap_by_hand():
    x = torch.zeros(3, 1, 4, 4)
    x[0, 0, :2] = 1.0  # eight pixels
    x[1, 0, 0, :2] = 1.0
    x_hat = torch.zeros(3, 1, 4, 4)
    x_hat[0, 0, 1:] = 0.6  # twelve, of which four are shared
    x_hat[1, 0, 0, :2] = 0.4  # too faint
    torch.testing.assert_close(metrics.overlap(x, x_hat), torch.tensor([4 / 16, 0, 1]))
    torch.testing.assert_close(metrics.overlap(x, x), torch.ones(3))


def test_sharpness_is_the_variance_of_the_laplacian():
    ramp = torch.linspace(0, 1, 8).expand(1, 3, 8, 8)
    torch.testing.assert_close(metrics.sharpness(ramp), torch.zeros(1), atol=1e-12, rtol=0)
    point = torch.zeros(1, 1, 5, 5)
    point[0, 0, 2, 2] = 1.0
    # inside: -4 at the point, 1 at its four neighbours, 0 at the four corners
    values = torch.tensor([-4.0, 1, 1, 1, 1, 0, 0, 0, 0])
    torch.testing.assert_close(metrics.sharpness(point)[0], values.var())
    grey = torch.rand(3, 1, 16, 16)
    blurred = torch.nn.functional.avg_pool2d(grey, 3, 1, 1)
    assert (metrics.sharpness(blurred) < 0.2 * metrics.sharpness(grey)).all()
    torch.testing.assert_close(metrics.sharpness(grey.expand(-1, 3, -1, -1)), metrics.sharpness(grey))


def test_a_sampled_kl_has_no_share_for_each_dimension():
    from vae.models import FAMILIES

    torch.manual_seed(0)
    model = FAMILIES["iaf"](FAMILIES["iaf"].Config((1, 28, 28), 4, encoder=(8,), decoder=(8,), flow_steps=1,
        flow_width=8))
    found = metrics.average_terms(model.eval(), [(torch.rand(6, 1, 28, 28), torch.zeros(6))])
    assert found.kl_per_dim is None and found.means.shape == (6, 4)
    assert found.negative_elbo.mean() == pytest.approx(found.recon + found.kl, rel=1e-5)


def test_multiscale_distance_by_hand():
    x = torch.zeros(1, 1, 32, 32)
    y = torch.full((1, 1, 32, 32), 0.5)
    assert float(metrics.multiscale_distance(x, x)) == 0
    assert float(metrics.multiscale_distance(x, y)) == pytest.approx(0.5)  # the same at every size
    y = torch.zeros(1, 1, 32, 32)
    y[0, 0, 0, 0] = 1  # one pixel of 1,024: blocks of s pixels hold 1 / s^2, one of (32 / s)^2
    expected = np.mean([np.sqrt((1 / s**2) ** 2 / (32 / s) ** 2) for s in (1, 2, 4, 8, 16, 32)])
    assert float(metrics.multiscale_distance(x, y)) == pytest.approx(expected)
    # of the sizes that divide the picture alone
    y = torch.zeros(1, 1, 28, 28)
    y[0, 0, 0, 0] = 1
    expected = np.mean([np.sqrt((1 / s**2) ** 2 / (28 / s) ** 2) for s in (1, 2, 4)])
    assert float(metrics.multiscale_distance(torch.zeros(1, 1, 28, 28), y)) == pytest.approx(expected)


def test_multiscale_distance_falls_while_shapes_come_nearer():
    def square(x):
        image = torch.zeros(1, 1, 64, 64)
        image[0, 0, 20:30, x : x + 10] = 1
        return image

    goal = square(50)
    distances = [float(metrics.multiscale_distance(square(x), goal)) for x in (10, 26, 36, 44, 50)]
    assert all(a > b for a, b in zip(distances, distances[1:], strict=False))
    pixels = [float(((square(x) - goal) ** 2).mean()) for x in (10, 26, 36)]
    assert len(set(pixels)) == 1  # a distance of pixels does not tell these apart

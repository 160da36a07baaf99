"""Every shipped model gives finite numbers for every image in [0, 1], also for those unlike any it was trained on."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import vae
from vae import store
from vae.data import DATASETS
from vae.models.base import bounded_logvar, bounded_mean
from vae.objectives import elbo

from ...long import some_long

# those whose sigma or KL was beyond all bounds, or came near; the rest where minutes may pass, by ascent one of each
# other family and data set
QUICK = ("mnist-ladder", "mnist-vae-bin", "mnist-beta4", "fashion-vae-16d", "mnist-iaf", "mnist-vamp", "mnist-dvae")
SLOW = ("faces-vaegan", "glyphs-cvae", "mnist-m2", "rooms-ada", "sprites-ae", "sprites-btcvae")
OTHERS = [card.name for card in store.available() if card.name not in QUICK]
NAMES = [*QUICK, *some_long(OTHERS, SLOW, [pytest.mark.slow])]
BY_ASCENT = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]
MAX_KL = 10_000  # nats, on plain pictures
ASCENT = 50  # steps


def plain_pictures(image_shape):
    """Blocks, ramps and stripes; digits, clothes, glyphs and sprites as they are, inverted, thresholded
    and transposed: (N, C, H, W) in [0, 1]."""
    channels, height, width = image_shape
    y, x = np.mgrid[0:height, 0:width]
    patterns = [np.full((height, width), grey) for grey in np.linspace(0, 1, 11)]
    patterns += [x / (width - 1), 1 - x / (width - 1), y / (height - 1), 1 - y / (height - 1),
        (x + y) / (height + width - 2)]
    for size in (1, 2, 4, 8):
        patterns += [(x // size + y // size) % 2, (x // size + y // size + 1) % 2, x // size % 2, y // size % 2]
    for edge in (2, 4, 8, 12):
        inside = (np.minimum(x, width - 1 - x) >= edge) & (np.minimum(y, height - 1 - y) >= edge)
        patterns += [inside, ~inside]
    patterns += [x < width / 2, x >= width / 2, y < height / 2, y >= height / 2]
    found = [torch.from_numpy(np.stack(patterns).astype(np.float32))[:, None]]
    for name in ("mnist", "fashion-mnist", "glyphs", "sprites"):
        known = DATASETS[name].load("test").batch(range(100))[0]
        known = torch.nn.functional.interpolate(known, size=(height, width), mode="bilinear").clamp(0, 1)
        found += [known, 1 - known, (known > 0.5).float(), (known <= 0.5).float(), known.mT, 1 - known.mT]
    return torch.cat(found).expand(-1, channels, -1, -1)


def assert_finite(model, x, y):
    out = model(x, y, generator=torch.Generator().manual_seed(0))
    terms = elbo(out, x)
    parts = {
        "mean": out.posterior.mean, "variance": out.posterior.variance, "sample": out.z, "recon": terms.recon,
        "kl": terms.kl, "bound": terms.elbo, "reconstruction": model.reconstruct(x, y),
    }  # fmt: skip
    assert not [name for name, values in parts.items() if not values.isfinite().all()]
    return terms.kl


@pytest.mark.parametrize("name", NAMES)
def test_plain_pictures(name):
    model = vae.load(name)
    with torch.no_grad():
        for x in plain_pictures(model.image_shape).split(500):
            y = model.most_likely_class(x) if model.num_classes else None
            assert assert_finite(model, x, y).max() < MAX_KL


@pytest.mark.parametrize("name", BY_ASCENT)
def test_images_found_by_ascent_on_the_widest_log_variance(name):
    """And on the narrowest, and on the largest mean."""
    model = vae.load(name)
    if model.deterministic:
        aims = {} if model.discrete else {"largest mean": lambda q: q.mean.abs().amax()}
    else:
        wide = lambda q: (getattr(q, "base", q).variance.log().amax(1)).sum()  # noqa: E731
        narrow = lambda q: -(getattr(q, "base", q).variance.log().amin(1)).sum()  # noqa: E731
        aims = {"widest": wide, "narrowest": narrow, "largest mean": lambda q: q.mean.abs().amax(1).sum()}
    start = plain_pictures(model.image_shape)[:: 300][:6].clone()
    y = torch.zeros(len(start), dtype=torch.int64) if model.num_classes else None
    for aim in aims.values():
        x = start.clone().requires_grad_()
        optimizer = torch.optim.Adam([x], lr=0.1)
        for _ in range(ASCENT):
            gain = aim(model.encode(x, y))
            optimizer.zero_grad()
            (-gain).backward()
            x.grad.nan_to_num_()
            optimizer.step()
            with torch.no_grad():
                x.clamp_(0, 1)
                assert_finite(model, x, y)


@given(st.floats(-60, 1))
def test_the_bound_is_the_identity_below_one(value):
    logvar = torch.tensor(value)
    assert abs(float(bounded_logvar(logvar) - logvar)) <= 1e-6


@given(st.floats(1, float("inf")))
def test_the_bound_keeps_sigma_below_ten(value):
    found = bounded_logvar(torch.tensor([value, 1e30, float("inf")]))
    assert ((0.5 * found).exp() < 10).all()
    assert ((0.5 * bounded_logvar(torch.tensor([-value, -1e30, -float("inf")]))).exp() > 0).all()


def test_the_bounds_rise_and_are_smooth():
    x = torch.linspace(-100, 100, 40_001, dtype=torch.float64, requires_grad=True)
    for bound in (bounded_logvar, bounded_mean):
        y = bound(x)
        (slope,) = torch.autograd.grad(y.sum(), x)
        assert (y.diff() >= 0).all() and (slope >= 0).all() and (slope <= 1).all()
        assert slope.diff().abs().max() < 0.02  # no kink
    torch.testing.assert_close(bounded_mean(-x), -bounded_mean(x))
    inside = x[x.abs() < 12]
    torch.testing.assert_close(bounded_mean(inside), inside, atol=1e-6, rtol=0)


def test_no_test_image_comes_near_the_bounds():
    """So that the figures of models trained without them stay what they were."""
    for name in ("mnist-vae-16d", "mnist-cvae", "mnist-vamp", "fashion-vae-16d", "sprites-vae"):
        model = vae.load(name)
        x, y = DATASETS[model.card.data].load("test").batch(range(500))
        with torch.no_grad():
            q = model.encode(x, y if model.num_classes else None)
        assert q.variance.log().max() < 1 and q.mean.abs().max() < 12

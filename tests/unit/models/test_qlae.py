"""The quantised latent autoencoder: its quantiser, its gradients and its prior, against known answers."""

import math

import numpy as np
import pytest
import torch

from vae.models import FAMILIES
from vae.models.portable import capabilities, networks
from vae.models.qlae import ScalarCodebooks, straight_through
from vae.objectives.terms import elbo, qlae

CONFIG = FAMILIES["qlae"].Config(
    (1, 16, 16), latent_dim=3, network="conv", encoder=(8,), decoder=(8,), channels=(4, 8), codebook=5
)  # fmt: skip


def build(**changes):
    torch.manual_seed(0)
    config = FAMILIES["qlae"].Config(**{**vars(CONFIG), **changes})
    return FAMILIES["qlae"](config), torch.rand(6, 1, 16, 16)


def test_values_begin_in_equal_steps():
    model, _ = build(codebook=10)
    expected = torch.tensor([-9, -7, -5, -3, -1, 1, 3, 5, 7, 9]) / 18
    torch.testing.assert_close(model.values, expected.expand(3, 10))


def test_each_dimension_takes_the_nearest_of_its_own_values():
    books = ScalarCodebooks(2, 3)
    with torch.no_grad():
        books.values.copy_(torch.tensor([[0.0, 1.0, 4.0], [-1.0, 7.0, 2.0]]))
    z = torch.tensor([[0.4, 4.6], [2.6, 4.4], [99.0, -99.0], [2.4, 0.4]])
    indices = books.nearest(z)
    assert indices.tolist() == [[0, 1], [2, 2], [2, 0], [1, 0]]
    assert books.look_up(indices).tolist() == [[0, 7], [4, 2], [4, -1], [1, -1]]


def test_a_code_holds_values_exactly_and_decoding_rounds_to_them():
    model, x = build()
    for images in (x, x.clone().requires_grad_()):
        z = model.encode(images).mean
        assert all(value in model.values[d] for row in z.detach() for d, value in enumerate(row))
        assert torch.equal(model.quantise(z), z)
    off = z + 0.1 * (torch.rand(z.shape) - 0.5)  # values are 0.25 apart
    torch.testing.assert_close(model.decode(off), model.decode(z))


def test_the_gradient_passes_straight_through():
    encoded = torch.tensor([[0.1, 0.7]], requires_grad=True)
    quantised = torch.tensor([[0.0, 1.0]], requires_grad=True)
    passed = straight_through(encoded, quantised)
    assert torch.equal(passed, quantised)
    (passed * torch.tensor([2.0, 3.0])).sum().backward()
    assert encoded.grad.tolist() == [[2, 3]] and quantised.grad is None


def test_the_decoders_gradient_reaches_the_encoder_unchanged():
    model, x = build()
    out = model(x)
    out.encoded.retain_grad()
    (-out.likelihood.log_prob(x)).sum().backward()
    given = out.quantised.detach().requires_grad_()
    (-model.pixels(model.decoder(given)).log_prob(x)).sum().backward()
    torch.testing.assert_close(out.encoded.grad, given.grad)
    assert given.grad.abs().sum() > 0
    # the likelihood moves no value: only the quantisation term does
    assert model.codebooks.values.grad is None


def test_the_terms_by_hand():
    model, x = build()
    out = model(x)
    terms = qlae(out, x, quantisation=0.3, commitment=0.7)
    distance = ((out.encoded - out.quantised) ** 2).mean(1)
    torch.testing.assert_close(terms.quantisation, distance)
    torch.testing.assert_close(terms.commitment, distance)
    torch.testing.assert_close(terms.recon, -out.likelihood.log_prob(x))
    torch.testing.assert_close(terms.loss, (terms.recon + terms.kl) / 256 + 0.3 * distance + 0.7 * distance)
    # each of the two moves its own side, towards the other
    values, encoded = model.codebooks.values, out.encoded
    of_values = torch.autograd.grad(terms.quantisation.sum(), (values, encoded), retain_graph=True, allow_unused=True)
    of_encoder = torch.autograd.grad(terms.commitment.sum(), (values, encoded), retain_graph=True, allow_unused=True)
    assert of_values[1] is None and of_encoder[0] is None
    torch.testing.assert_close(of_encoder[1], 2 / 3 * (out.encoded - out.quantised))
    expected = torch.zeros(3, 5)
    for row, place in enumerate(model.codebooks.nearest(out.encoded)):
        for d, v in enumerate(place):
            expected[d, v] += 2 / 3 * (out.quantised - out.encoded)[row, d]
    torch.testing.assert_close(of_values[0], expected)


def test_the_prior_is_a_product_of_categoricals():
    model, _ = build()
    with torch.no_grad():
        model.prior_logits.copy_(torch.randn(3, 5))
    p = model.prior_logits.detach().softmax(1)
    every = torch.cartesian_prod(*model.codebooks.values.detach())
    log_p = model.prior.log_prob(every)
    assert float(log_p.detach().exp().sum()) == pytest.approx(1, abs=1e-5)
    first = p[0, 0] * p[1, 0] * p[2, 0]
    assert float(log_p[0].detach()) == pytest.approx(math.log(first), abs=1e-5)
    mean = (log_p.exp()[:, None] * every).sum(0)
    torch.testing.assert_close(model.prior.mean, mean)
    torch.testing.assert_close(model.prior.variance, (log_p.exp()[:, None] * (every - mean) ** 2).sum(0))
    samples = model.sample(20_000, generator=torch.Generator().manual_seed(0))
    shares = torch.stack([(samples[:, 0] == value).double().mean() for value in model.codebooks.values[0]])
    torch.testing.assert_close(shares.float(), p[0], atol=0.015, rtol=0)
    assert torch.equal(model.sample(2, temperature=0)[0], model.codebooks.look_up(p.argmax(1)))


def test_the_bound_counts_the_nats_of_a_code():
    model, x = build()
    terms = elbo(model(x), x)
    torch.testing.assert_close(terms.kl, torch.full((6,), 3 * math.log(5)))


def test_its_objective_lowers_the_terms_and_trains_the_prior():
    model, _ = build(modulated=True)
    x = (torch.rand(64, 1, 1, 1) > 0.5).float().expand(64, 1, 16, 16)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    history = []
    for _ in range(200):
        terms = qlae(model(x), x, 0.01, 0.01)
        optimizer.zero_grad()
        terms.loss.mean().backward()
        optimizer.step()
        history.append((terms.recon.mean().item(), terms.kl.mean().item()))
    assert history[-1][0] < 0.5 * history[0][0] and history[-1][1] < 3 * math.log(5) - 0.5


@pytest.mark.parametrize("modulated", [False, True])
def test_it_is_portable(modulated):
    model, x = build(modulated=modulated)
    found = networks(model.eval().requires_grad_(False))
    assert {"encode", "decode"} <= found.keys()
    known = capabilities(model)["values"]
    np.testing.assert_allclose(known, model.values, rtol=1e-5)
    assert "values" not in capabilities(FAMILIES["vae"](FAMILIES["vae"].Config((1, 8, 8), 2)))


def test_a_modulated_decoder_is_moved_by_every_dimension_and_needs_convolutions():
    model, _ = build(modulated=True)
    z = model.values[:, :1].T
    for d in range(3):
        moved = z.clone()
        moved[:, d] = model.values[d, -1]
        assert not torch.allclose(model.decode(z), model.decode(moved))
    with pytest.raises(ValueError, match="a modulated decoder needs network 'conv', not 'mlp'"):
        build(modulated=True, network="mlp")
    with pytest.raises(ValueError, match="codebook must be an integer of 1 or more"):
        build(codebook=0)

import numpy as np
import pytest
import torch

from vae.models import FAMILIES
from vae.models.vqvae import Codebook, CodePrior, PriorNetwork
from vae.objectives.terms import elbo, vq_vae

CONFIG = FAMILIES["vqvae"].Config(
    (1, 28, 28), latent_dim=49, network="conv", channels=(8, 16), codebook=12, code_dim=4,
    prior_width=16, prior_layers=2,
)  # fmt: skip


def build():
    torch.manual_seed(0)
    return FAMILIES["vqvae"](CONFIG), torch.rand(5, 1, 28, 28)


def test_the_decoders_gradient_passes_straight_through_to_the_encoder():
    model, x = build()
    model.eval()
    out = model(x)
    out.encoded.retain_grad()
    recon = -out.likelihood.log_prob(x).sum()
    recon.backward()
    # what the decoder would pass to the vectors that it was given
    given = out.quantised.clone().requires_grad_()
    (-model.pixels(model.decoder(given)).log_prob(x).sum()).backward()
    torch.testing.assert_close(out.encoded.grad, given.grad)
    assert given.grad.abs().sum() > 0
    # and what was decoded are the vectors themselves
    torch.testing.assert_close(out.likelihood.mean, model.decode(out.z), atol=1e-5, rtol=1e-4)


def test_each_place_gets_its_nearest_vector():
    model, x = build()
    encoded = model.encoder(x)
    z = model.encode(x).mean.view(5, 7, 7)
    distance = torch.cdist(encoded.permute(0, 2, 3, 1).reshape(-1, 4), model.codebook.vectors)
    assert torch.equal(z.flatten(), distance.argmin(1).float())
    torch.testing.assert_close(
        model.vectors(z.flatten(1))[2, :, 3, 4], model.codebook.vectors[int(z[2, 3, 4])]
    )


def test_moving_averages_follow_by_hand():
    book = Codebook(3, 2)
    book.vectors.copy_(torch.tensor([[0.0, 0.0], [1.0, 1.0], [9.0, 9.0]]))
    book.counts.copy_(torch.tensor([2.0, 1.0, 1.0]))
    book.sums.copy_(book.vectors * book.counts[:, None])
    encoded = torch.tensor([[0.2, 0.0], [0.4, 0.0], [1.0, 3.0]])
    book.ema_update(encoded, torch.tensor([0, 0, 1]))
    torch.testing.assert_close(book.counts, torch.tensor([2.0, 1.0, 0.99]))
    torch.testing.assert_close(book.vectors[0], torch.tensor([0.006, 0.0]) / 2.0)
    torch.testing.assert_close(book.vectors[1], torch.tensor([0.99 + 0.01, 0.99 + 0.03]))
    torch.testing.assert_close(book.vectors[2], torch.tensor([9.0, 9.0]))  # unused: it stays


def test_a_vector_that_nothing_names_is_put_where_data_is():
    book = Codebook(2, 2)
    book.counts.copy_(torch.tensor([1.0, 0.001]))
    encoded = torch.full((4, 2), 7.0)
    book.ema_update(encoded, torch.zeros(4, dtype=torch.long), torch.Generator().manual_seed(0))
    torch.testing.assert_close(book.vectors[1], torch.tensor([7.0, 7.0]))


def test_the_codebook_begins_among_the_encoders_outputs():
    model, x = build()
    model.initialise(x)
    places = model.encoder(x).permute(0, 2, 3, 1).reshape(-1, 4)
    assert torch.cdist(model.codebook.vectors, places).amin(1).max() < 1e-3
    assert torch.equal(model.codebook.sums, model.codebook.vectors)


def test_assignments_move_the_codebook_in_training_alone():
    model, x = build()
    before = model.codebook.vectors.clone()
    model.eval()(x)
    assert torch.equal(before, model.codebook.vectors)
    model.train()(x)
    assert not torch.equal(before, model.codebook.vectors)


def test_the_prior_sees_only_what_came_before_and_sums_to_one():
    torch.manual_seed(0)
    network = PriorNetwork(codebook=3, length=4, width=16, layers=2)
    numbers = torch.randint(3, (1, 4))
    logits = network(numbers)
    for d in range(4):
        changed = numbers.clone()
        changed[0, d:] = (changed[0, d:] + 1) % 3
        torch.testing.assert_close(network(changed)[0, : d + 1], logits[0, : d + 1])
    changed = (numbers + 1) % 3
    assert not torch.allclose(network(changed)[0, 1:], logits[0, 1:])
    p = CodePrior(network, 4)
    every = torch.cartesian_prod(*[torch.arange(3.0)] * 4)  # all 81 codes
    assert float(p.log_prob(every).detach().exp().sum()) == pytest.approx(1, abs=1e-5)


def test_step_by_step_the_prior_says_what_it_says_at_once():
    torch.manual_seed(0)
    network = PriorNetwork(codebook=5, length=9, width=16, layers=3)
    numbers = torch.randint(5, (4, 9))
    past = network.empty_cache()
    steps = [network.step(numbers[:, d - 1] if d else None, d, 4, past) for d in range(9)]
    torch.testing.assert_close(torch.stack(steps, 1), network(numbers))


def test_draws_follow_the_prior():
    torch.manual_seed(1)
    network = PriorNetwork(codebook=2, length=2, width=16, layers=1)
    torch.nn.init.normal_(network.head.weight, std=2.0)
    p = CodePrior(network, 2)
    every = torch.cartesian_prod(torch.arange(2.0), torch.arange(2.0))
    draws = p.sample_codes(20_000, generator=torch.Generator().manual_seed(0))
    shares = torch.stack([(draws == code).all(1).float().mean() for code in every])
    torch.testing.assert_close(shares, p.log_prob(every).exp().detach(), rtol=0, atol=0.015)
    assert torch.equal(p.sample_codes(1, temperature=0)[0], p.mean)


def test_kept_places_stay_and_the_others_are_drawn():
    model, _ = build()
    start = torch.arange(49.0) % 12
    keep = torch.arange(49) % 2 == 0
    z = model.prior.sample_codes(6, generator=torch.Generator().manual_seed(0), start=start, keep=keep)
    assert torch.equal(z[:, keep], start[keep].expand(6, -1))
    assert (z[:, ~keep] != start[~keep]).any()
    assert z.min() >= 0 and z.max() <= 11


@pytest.mark.parametrize("given, missing", [("keep", "start"), ("start", "keep")])
def test_start_and_keep_are_given_together(given, missing):
    model, _ = build()
    values = {"start": torch.arange(49.0) % 12, "keep": torch.ones(49, dtype=torch.bool)}
    with pytest.raises(ValueError, match=f"^{given} needs {missing}: "):
        model.prior.sample_codes(6, **{given: values[given]})


def test_terms_are_those_of_the_bound_and_the_commitment():
    model, x = build()
    out = model.eval()(x)
    terms, bound = vq_vae(out, x, commitment=2.0), elbo(out, x)
    torch.testing.assert_close(terms.recon, bound.recon)
    torch.testing.assert_close(terms.kl, bound.kl)
    torch.testing.assert_close(terms.kl, -model.prior.log_prob(out.z))
    by_hand = ((model.encoder(x) - model.vectors(out.z)) ** 2).sum((1, 2, 3))
    torch.testing.assert_close(terms.commitment, by_hand)
    torch.testing.assert_close(terms.loss, terms.recon + 2 * by_hand + terms.kl)
    terms.loss.mean().backward()
    assert model.encoder[0].weight.grad.abs().sum() > 0
    # the prior's term stops at the codes, which are numbers
    model.zero_grad()
    vq_vae(model(x), x, commitment=0.0).kl.mean().backward()
    assert model.encoder[0].weight.grad is None
    assert model.prior_network.head.weight.grad.abs().sum() > 0


def test_numbers_that_name_no_vector_are_taken_for_the_nearest():
    model, _ = build()
    z = torch.full((1, 49), 3.0)
    strange = z.clone()
    strange[0, :3] = torch.tensor([3.4, 2.6, 3.0])
    assert torch.equal(model.decode(z), model.decode(strange))
    strange[0, 0] = -8.0
    z[0, 0] = 0.0
    assert torch.equal(model.decode(z), model.decode(strange))


def test_features_are_the_vectors():
    model, x = build()
    z = model.encode(x).mean
    assert model.features(z).shape == (5, 49 * 4)
    np.testing.assert_array_equal(model.features(z), model.vectors(z).flatten(1))

import torch

from vae.models import FAMILIES, NetworkConfig
from vae.models.dvae import add_noise
from vae.models.vaegan import ImageDiscriminator
from vae.objectives.terms import elbo, real_or_made_loss, vae_gan

CONFIG = NetworkConfig(
    (3, 64, 64), latent_dim=4, network="conv", encoder=(16,), decoder=(16,), channels=(4, 4, 4, 4)
)


def build():
    torch.manual_seed(0)
    model, judge = FAMILIES["vaegan"](CONFIG), ImageDiscriminator(CONFIG)
    return model, judge, torch.rand(3, 3, 64, 64)


def test_the_terms_by_hand():
    model, judge, x = build()
    out = model(x, generator=torch.Generator().manual_seed(0))
    logits, made = judge(out.likelihood.mean)
    real = judge(x)[1]
    terms = vae_gan(out, x, real, made, logits, 2.0, feature_weight=0.5, adversarial_weight=3.0)
    bound = elbo(out, x)
    by_hand = (
        bound.recon + 2 * bound.kl + 0.5 * (real - made).square().flatten(1).sum(1)
        - 3 * logits.sigmoid().log()
    )  # fmt: skip
    torch.testing.assert_close(terms.loss, by_hand)


def test_the_decoder_is_taught_by_the_discriminators_features_but_not_through_the_images():
    model, judge, x = build()
    x.requires_grad_()
    out = model(x.detach())
    logits, made = judge(out.likelihood.mean)
    terms = vae_gan(out, x.detach(), judge(x)[1], made, logits, 0.0, 1.0, 0.0)
    (terms.features.sum()).backward()
    assert x.grad is None
    assert model.decoder[0].weight.grad.abs().sum() > 0


def test_the_discriminators_loss_is_a_cross_entropy():
    real, made = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 0.0])
    expected = -(real.sigmoid().log() + (1 - made.sigmoid()).log())
    torch.testing.assert_close(real_or_made_loss(real, made), expected)


def test_a_denoising_vae_sees_noise_in_training_alone():
    torch.manual_seed(0)
    config = FAMILIES["dvae"].Config((1, 28, 28), latent_dim=2, encoder=(8,), decoder=(8,), noise=0.5)
    model, x = FAMILIES["dvae"](config), torch.rand(4, 1, 28, 28)
    seen = []
    model.encoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model.train()(x, generator=torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(1)
    std = 0.5 * torch.rand(4, 1, 1, 1, generator=generator)  # an image's own
    assert torch.equal(seen[0], add_noise(x, std, generator))
    assert seen[0].min() >= 0 and seen[0].max() <= 1 and not torch.equal(seen[0], x)
    model.eval()(x)
    assert torch.equal(seen[1], x)
    noisy = add_noise(torch.full((1, 1, 200, 200), 0.5), 0.1, torch.Generator().manual_seed(0))
    assert abs(float(noisy.std()) - 0.1) < 0.002

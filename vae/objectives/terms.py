"""What training minimises: pure functions of a model's Output, in nats, one value per example.

Every term is a sum over pixels and over latent dimensions, never a mean.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from ..models.base import Output, PointMass, diagonal_normal
from ..models.m2 import M2Output
from ..models.vqvae import VQOutput


class ELBO(NamedTuple):
    """The evidence lower bound, term by term, for B examples; all in nats."""

    recon: Tensor  # (B,) -log p(x | z), summed over pixels
    kl: Tensor  # (B,) KL(q(z|x) || p(z)), summed over dimensions
    kl_per_dim: Tensor | None  # (B, D); None where the KL is estimated at the draw
    elbo: Tensor  # (B,) -recon - kl, a lower bound on log p(x)
    loss: Tensor  # (B,) recon + beta * kl, what training minimises


def elbo(out: Output, x: Tensor, beta: float = 1.0) -> ELBO:
    """The terms of Kingma & Welling's bound, with Higgins et al.'s beta on the KL in `loss`.

    out: what model(x) returned; x (B, C, H, W) in [0, 1].
    The KL is analytic between Gaussians, one level after another where there are levels: then that
    of the lower level is at the draw of the upper one. Else it is log q(z|x) - log p(z) at the draw.
    A point posterior has no KL: its kl is 0, `loss` is the reconstruction alone and `elbo` is
    minus that, a bound on nothing; but if it is a code with a prior over codes (VQ-VAE), its kl is
    -log p(z).
    """
    recon = -out.likelihood.log_prob(x)  # (B,)
    q = _at_sample(out)
    if _diagonal(q) and _diagonal(out.prior):
        kl_per_dim = gaussian_kl(q, out.prior)
        kl = kl_per_dim.sum(1)
    elif isinstance(q, PointMass) and _diagonal(out.prior):
        kl_per_dim = out.z.new_zeros(out.z.shape)
        kl = kl_per_dim.sum(1)
    else:
        kl_per_dim, kl = None, q.log_prob(out.z) - out.prior.log_prob(out.z)
    return ELBO(recon, kl, kl_per_dim, -recon - kl, recon + beta * kl)


class VQVAETerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z)
    kl: Tensor  # (B,) -log p(z), what the code costs under the prior over codes
    commitment: Tensor  # (B,) squared distance of the encoder's vectors from the codebook's
    loss: Tensor  # (B,) recon + weight * commitment + kl


def vq_vae(out: VQOutput, x: Tensor, commitment: float) -> VQVAETerms:
    """The VQ-VAE's objective (van den Oord et al. 2017) and its prior's likelihood in one.

    The codebook follows by moving averages, so no term pulls it; the codes are numbers, so what
    the prior learns from kl reaches neither encoder nor decoder. commitment: the weight.
    """
    recon = -out.likelihood.log_prob(x)
    kl = -out.log_prior
    distance = ((out.encoded - out.quantised.detach()) ** 2).sum((1, 2, 3))
    return VQVAETerms(recon, kl, distance, recon + commitment * distance + kl)


class M2Terms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z, y), averaged over q(y|x) where there is no label
    kl: Tensor  # (B,) KL(q(z|x, y) || p(z)), averaged likewise
    entropy: Tensor  # (B,) of q(y|x); 0 where there is a label
    classification: Tensor  # (B,) -log q(y|x) of the label; 0 where there is none
    loss: Tensor  # (B,) recon + kl - log p(y) - entropy + alpha * classification


def m2(out: M2Output, x: Tensor, y: Tensor, alpha: float) -> M2Terms:
    """The semi-supervised bound of Kingma et al. (2014), equations 6 to 9.

    out: what the model makes of x (B, C, H, W) with every one of K classes; y (B,) class numbers,
    -1 where the label is not known. p(y) is uniform.
    """
    b, k = out.log_q_y.shape
    recon = -out.likelihood.log_prob(x.repeat(k, 1, 1, 1)).view(k, b).T  # (B, K)
    kl = gaussian_kl(out.posterior, out.prior).sum(1).view(k, b).T  # (B, K)
    known = (y >= 0).float()
    one_hot = torch.nn.functional.one_hot(y.clamp(min=0), k).float()
    q_y = torch.where(known[:, None] > 0, one_hot, out.log_q_y.exp())  # (B, K)
    entropy = -(1 - known) * (out.log_q_y.exp() * out.log_q_y).sum(1)
    classification = -known * (one_hot * out.log_q_y).sum(1)
    recon, kl = (q_y * recon).sum(1), (q_y * kl).sum(1)
    loss = recon + kl + log(k) - entropy + alpha * classification
    return M2Terms(recon, kl, entropy, classification, loss)


class VAEGANTerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z)
    kl: Tensor  # (B,) KL(q(z|x) || p(z))
    features: Tensor  # (B,) squared distance of the discriminator's features, x_hat from x
    adversarial: Tensor  # (B,) -log of the probability that the discriminator gives to x_hat
    loss: Tensor  # (B,) recon + beta * kl + weights of the other two


def vae_gan(
    out: Output, x: Tensor, real: Tensor, made: Tensor, logits: Tensor,
    beta: float, feature_weight: float, adversarial_weight: float,
) -> VAEGANTerms:  # fmt: skip
    """The VAE-GAN objective of encoder and decoder (Larsen et al. 2016), with the pixels' likelihood
    kept beside that of the discriminator's features.

    real, made (B, F, h, w): the discriminator's features of x and of x_hat; logits (B,): what it
    says of x_hat, more for real.
    """
    terms = elbo(out, x)
    features = ((real.detach() - made) ** 2).sum((1, 2, 3))
    adversarial = torch.nn.functional.softplus(-logits)
    loss = terms.recon + beta * terms.kl + feature_weight * features + adversarial_weight * adversarial
    return VAEGANTerms(terms.recon, terms.kl, features, adversarial, loss)


def real_or_made_loss(real: Tensor, made: Tensor) -> Tensor:
    """The cross-entropy (B,), in nats, of a discriminator that says logits (B,) of images and of
    what a decoder made."""
    softplus = torch.nn.functional.softplus
    return softplus(-real) + softplus(made)


class TotalCorrelation(NamedTuple):
    """KL(q(z|x) || p(z)) at one draw of z, cut into three parts; (B,) each, in nats."""

    mutual_information: Tensor  # log q(z|x) - log q(z): what z tells about which image it was
    total_correlation: Tensor  # log q(z) - sum_d log q(z_d): how far dimensions depend
    dimension_kl: Tensor  # sum_d log q(z_d) - log p(z_d)


class BetaTCVAETerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z)
    kl: Tensor  # (B,) log q(z|x) - log p(z) at the draw; its parts sum to it
    parts: TotalCorrelation
    loss: Tensor  # (B,) recon + mutual information + beta * total correlation + dimension_kl


def beta_tcvae(out: Output, x: Tensor, beta: float, n_data: int) -> BetaTCVAETerms:
    """The beta-TCVAE objective (Chen et al. 2018): beta on the total correlation alone.

    out: what model(x) returned for B images drawn from a data set of n_data.
    """
    recon = -out.likelihood.log_prob(x)
    parts = total_correlation(out.z, out.posterior, out.prior, n_data)
    loss = recon + parts.mutual_information + beta * parts.total_correlation + parts.dimension_kl
    return BetaTCVAETerms(recon, sum(parts), parts, loss)


def total_correlation(z: Tensor, q: Distribution, p: Distribution, n_data: int) -> TotalCorrelation:
    """The three parts of the KL, estimated from a batch (Chen et al. 2018, appendix C).

    z (B, D), row i drawn from row i of q, a diagonal Gaussian over B images out of n_data.
    q(z) averages q(z|x_n) over all n_data images. Of these the batch holds z's own, which
    counts once, and B - 1 others, each of which stands for (n_data - 1) / (B - 1).
    Raises ValueError for a batch of fewer than two images.
    """
    b = len(z)
    if b < 2:
        raise ValueError("the total correlation needs a batch of two images or more")
    # log q(z_i,d | x_j) -> (B, B, D); row i: the draw, column j: the image
    log_q = q.base_dist.log_prob(z[:, None, :])
    weight = torch.full((b, b), (n_data - 1) / (n_data * (b - 1)), device=z.device)
    weight.fill_diagonal_(1 / n_data)  # the diagonal: each draw's own image
    log_weight = weight.log()
    log_q_z = (log_weight + log_q.sum(2)).logsumexp(1)  # (B,)
    log_q_dims = (log_weight[:, :, None] + log_q).logsumexp(1).sum(1)  # (B,)
    return TotalCorrelation(
        q.log_prob(z) - log_q_z, log_q_z - log_q_dims, log_q_dims - p.log_prob(z)
    )


class CapacityVAETerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z)
    kl: Tensor  # (B,) KL(q(z|x) || p(z))
    loss: Tensor  # (B,) recon + gamma * |mean kl - capacity|


def capacity_vae(out: Output, x: Tensor, gamma: float, capacity: float) -> CapacityVAETerms:
    """The capacity-controlled beta-VAE (Burgess et al. 2018): the KL is held at `capacity`
    nats, which training raises slowly, so that factors are learnt one after the other.

    The distance is that of the batch's mean KL: images may share the capacity unevenly.
    """
    terms = elbo(out, x)
    distance = (terms.kl.mean() - capacity).abs()
    return CapacityVAETerms(terms.recon, terms.kl, terms.recon + gamma * distance)


class FactorVAETerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z)
    kl: Tensor  # (B,) KL(q(z|x) || p(z))
    total_correlation: Tensor  # (B,) log q(z) - sum_d log q(z_d), as the discriminator sees it
    loss: Tensor  # (B,) recon + beta * kl + gamma * total_correlation


def factor_vae(
    out: Output, x: Tensor, gamma: float, logits: Tensor, beta: float = 1.0
) -> FactorVAETerms:
    """The FactorVAE objective (Kim & Mnih 2018): the total correlation by the density-ratio trick.

    logits (B, 2): what the discriminator says of out.z, column 0 for q(z), column 1 for the
    product of its marginals. beta is 1 in the paper.
    """
    terms = elbo(out, x)
    tc = logits[:, 0] - logits[:, 1]
    return FactorVAETerms(terms.recon, terms.kl, tc, terms.recon + beta * terms.kl + gamma * tc)


def discriminator_loss(joint: Tensor, permuted: Tensor) -> Tensor:
    """The discriminator's cross-entropy in nats, (B,): logits (B, 2) of draws from q(z) and of the
    same draws after permute_dims."""
    return -0.5 * (joint.log_softmax(1)[:, 0] + permuted.log_softmax(1)[:, 1])


def permute_dims(z: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """z (B, D) with each dimension shuffled over the batch by itself: near draws from the product
    of the marginals. No gradient passes (Kim & Mnih 2018, algorithm 1)."""
    order = torch.rand(z.shape, generator=generator, device=z.device).argsort(0)
    return z.detach().gather(0, order)


def ada_gvae(posterior: Distribution) -> Distribution:
    """The posterior of pairs, with what the two images share averaged (Locatello et al. 2020).

    posterior: over 2B images, image i and image B + i a pair. A dimension counts as shared where
    KL(q1 || q2) lies below the middle between the pair's smallest and largest; there both get the
    mean of the two means and of the two variances. The objective is then the plain ELBO.
    Raises ValueError for an odd number of images.
    """
    if len(posterior.mean) % 2:
        raise ValueError("pairs need an even number of images")
    mu1, mu2 = posterior.mean.chunk(2)  # each (B, D)
    var1, var2 = posterior.variance.chunk(2)
    first, second = diagonal_normal(mu1, var1.sqrt()), diagonal_normal(mu2, var2.sqrt())
    distance = gaussian_kl(first, second)  # (B, D)
    threshold = (distance.amin(1, keepdim=True) + distance.amax(1, keepdim=True)) / 2
    shared = (distance < threshold).repeat(2, 1)
    mu = torch.where(shared, ((mu1 + mu2) / 2).repeat(2, 1), posterior.mean)
    variance = torch.where(shared, ((var1 + var2) / 2).repeat(2, 1), posterior.variance)
    return diagonal_normal(mu, variance.sqrt())


class IWAETerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z), averaged over the samples
    kl: Tensor  # (B,) log q(z|x) - log p(z), averaged over the samples
    bound: Tensor  # (B,) log of the mean importance weight, between the ELBO and log p(x) on average
    loss: Tensor  # (B,) -bound


def iwae(out: Output, x: Tensor, samples: int, dreg: bool = True) -> IWAETerms:
    """The importance-weighted bound (Burda et al. 2016) of x (B, C, H, W) by `samples` codes each.

    out: what the model made of x.repeat(samples, 1, 1, 1), so row s * B + b is sample s of image b.
    dreg: the encoder's gradient is the doubly reparametrised one (Tucker et al. 2019, equation 8): each
    sample's path through z counts by its squared weight, and log q as a function of its own parameters
    is left out. It has the same mean and less variance, and does not vanish with many samples.
    Raises ValueError with dreg for a posterior that is no diagonal Gaussian.
    """
    q = _at_sample(out)
    if dreg:
        if not _diagonal(q):
            raise ValueError("doubly reparametrised gradients need a Gaussian posterior: set dreg=False")
        q = diagonal_normal(q.mean.detach(), q.stddev.detach())
    recon = -out.likelihood.log_prob(x.repeat(samples, 1, 1, 1)).view(samples, -1)  # (S, B)
    kl = (q.log_prob(out.z) - out.prior.log_prob(out.z)).view(samples, -1)  # (S, B)
    log_weight = -recon - kl
    if dreg and out.z.requires_grad:
        share = log_weight.detach().softmax(0).flatten()  # (S * B,), in the order of z
        # The bound's gradient already counts each path once by its share; this counts it again.
        out.z.register_hook(lambda gradient: share[:, None] * gradient)
    bound = log_weight.logsumexp(0) - log(samples)
    return IWAETerms(recon.mean(0), kl.mean(0), bound, -bound)


class FreeBitsTerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z)
    kl: Tensor  # (B,) KL(q(z|x) || p(z))
    paid: Tensor  # (B,) sum over dimensions of max(nats, mean KL of the dimension), alike for all images
    loss: Tensor  # (B,) recon + beta * paid


def free_bits(out: Output, x: Tensor, beta: float, nats: float) -> FreeBitsTerms:
    """The bound with free bits (Kingma et al. 2016, appendix C.8), a group a dimension.

    A dimension whose KL, averaged over the batch, lies below `nats` costs that much whatever it
    carries, so nothing pulls it towards the prior.
    Raises ValueError where the KL is not known by dimension.
    """
    terms = elbo(out, x)
    if terms.kl_per_dim is None:
        raise ValueError("free bits need a KL that is known by dimension: a Gaussian posterior and a Gaussian prior")
    paid = terms.kl_per_dim.mean(0).clamp(min=nats).sum().expand(len(x))
    return FreeBitsTerms(terms.recon, terms.kl, paid, terms.recon + beta * paid)


def _at_sample(out: Output) -> Distribution:
    """Return the posterior; of a posterior of levels, the one whose lower level is that of the sampled upper one."""
    return out.posterior.at(out.z) if hasattr(out.posterior, "at") else out.posterior


def _diagonal(distribution: Distribution) -> bool:
    """Whether it is a diagonal Gaussian, as diagonal_normal makes it."""
    return isinstance(distribution, Independent) and isinstance(distribution.base_dist, Normal)


def gaussian_kl(q: Distribution, p: Distribution) -> Tensor:
    """KL(q || p) of two diagonal Gaussians, dimension by dimension, in nats.

    q over (B, D), p over (D,) or (B, D); returns (B, D).
    """
    log_ratio = p.stddev.log() - q.stddev.log()
    return log_ratio + (q.variance + (q.mean - p.mean) ** 2) / (2 * p.variance) - 0.5

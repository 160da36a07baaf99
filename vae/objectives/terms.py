"""Terms of training objectives: pure functions of a model's Output, in nats, one value per example.

Every term is a sum over pixels and latent dimensions, never a mean.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from ..models.base import Output, Posterior, diagonal_normal
from ..models.m2 import M2Output
from ..models.qlae import QLAEOutput
from ..models.vqvae import VQOutput


class ELBO(NamedTuple):
    """The terms of the evidence lower bound for B examples, in nats."""

    recon: Tensor  # (B,) -log p(x | z), summed over pixels
    kl: Tensor  # (B,) KL(q(z|x) || p(z)), summed over dimensions
    kl_per_dim: Tensor | None  # (B, D); None where the KL is estimated at the sample
    elbo: Tensor  # (B,) -recon - kl, a lower bound on log p(x)
    loss: Tensor  # (B,) recon + beta * kl, minimised by training


def elbo(out: Output, x: Tensor, beta: float = 1.0) -> ELBO:
    """Return the terms of the ELBO (Kingma & Welling 2014), with beta on the KL in `loss` (Higgins et al. 2017).

    out: the output of model(x); x (B, C, H, W) in [0, 1].
    The KL is analytic between Gaussians. With several levels, each level's KL is analytic given the sample of
    the level above. Otherwise it is log q(z|x) - log p(z) at the sample.
    A point posterior has no KL: `kl` is 0, `loss` is the reconstruction alone, and `elbo`, its negative, is not
    a bound. The exception is a discrete code with a prior over codes (VQ-VAE), whose `kl` is -log p(z).
    """
    recon = -out.likelihood.log_prob(x)  # (B,)
    q = _at_sample(out)
    if _diagonal(q) and _diagonal(out.prior):
        kl_per_dim = gaussian_kl(q, out.prior)
        kl = kl_per_dim.sum(1)
    elif isinstance(q, Posterior) and not q.has_density and _diagonal(out.prior):
        kl_per_dim = out.z.new_zeros(out.z.shape)
        kl = kl_per_dim.sum(1)
    else:
        kl_per_dim, kl = None, q.log_prob(out.z) - out.prior.log_prob(out.z)
    return ELBO(recon, kl, kl_per_dim, -recon - kl, recon + beta * kl)


class VQVAETerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z)
    kl: Tensor  # (B,) -log p(z) under the prior over codes
    commitment: Tensor  # (B,) squared distance of the encoder's vectors from the codebook's
    loss: Tensor  # (B,) recon + weight * commitment + kl


def vq_vae(out: VQOutput, x: Tensor, commitment: float) -> VQVAETerms:
    """Return the VQ-VAE's terms (van den Oord et al. 2017), with the likelihood of its prior as `kl`.

    x (B, C, H, W) in [0, 1]; commitment: the weight of the commitment term. The codebook is updated by moving
    averages, so no term trains it. The codes are indices, so the gradient of `kl` reaches neither encoder nor
    decoder.
    """
    recon = -out.likelihood.log_prob(x)
    kl = -out.log_prior
    distance = ((out.encoded - out.quantised.detach()) ** 2).sum((1, 2, 3))
    return VQVAETerms(recon, kl, distance, recon + commitment * distance + kl)


class QLAETerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z)
    kl: Tensor  # (B,) -log p(z) under the prior over values
    quantisation: Tensor  # (B,) squared distance of the values from the encoder's output, mean over dimensions
    commitment: Tensor  # (B,) the same number, whose gradient reaches the encoder
    loss: Tensor  # (B,) (recon + kl) / pixels + weights of the other two


def qlae(out: QLAEOutput, x: Tensor, quantisation: float, commitment: float) -> QLAETerms:
    """Return the terms of the quantised latent autoencoder (Hsu et al. 2023), with its prior's likelihood as `kl`.

    x (B, C, H, W) in [0, 1]. In the loss, the reconstruction is a mean over pixels, as in the paper: with their sum,
    the encoder's output runs away from the values. The gradient of `kl` reaches only the prior.
    """
    recon = -out.likelihood.log_prob(x)
    kl = -out.prior.log_prob(out.z)
    of_values = ((out.quantised - out.encoded.detach()) ** 2).mean(1)
    of_encoder = ((out.encoded - out.quantised.detach()) ** 2).mean(1)
    loss = (recon + kl) / x.shape[1:].numel() + quantisation * of_values + commitment * of_encoder
    return QLAETerms(recon, kl, of_values, of_encoder, loss)


class M2Terms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z, y), averaged over q(y|x) without a label
    kl: Tensor  # (B,) KL(q(z|x, y) || p(z)), averaged over q(y|x) without a label
    entropy: Tensor  # (B,) of q(y|x); 0 with a label
    classification: Tensor  # (B,) -log q(y|x) of the label; 0 without a label
    loss: Tensor  # (B,) recon + kl - log p(y) - entropy + alpha * classification


def m2(out: M2Output, x: Tensor, y: Tensor, alpha: float) -> M2Terms:
    """Return the terms of the semi-supervised bound (Kingma et al. 2014, equations 6 to 9).

    out: the model's output for x (B, C, H, W) with each of K classes; y (B,) class indices, -1 without a label.
    p(y) is uniform.
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
    adversarial: Tensor  # (B,) -log of the discriminator's probability that x_hat is real
    loss: Tensor  # (B,) recon + beta * kl + weights of the other two


def vae_gan(
    out: Output, x: Tensor, real: Tensor, made: Tensor, logits: Tensor,
    beta: float, feature_weight: float, adversarial_weight: float,
) -> VAEGANTerms:  # fmt: skip
    """Return the VAE-GAN terms of encoder and decoder (Larsen et al. 2016).

    Unlike the paper, this keeps the likelihood of the pixels beside that of the discriminator's features.
    real, made (B, F, h, w): the discriminator's features of x and of x_hat; logits (B,): its output for x_hat,
    larger for real.
    """
    terms = elbo(out, x)
    features = ((real.detach() - made) ** 2).sum((1, 2, 3))
    adversarial = torch.nn.functional.softplus(-logits)
    loss = terms.recon + beta * terms.kl + feature_weight * features + adversarial_weight * adversarial
    return VAEGANTerms(terms.recon, terms.kl, features, adversarial, loss)


def real_or_made_loss(real: Tensor, made: Tensor) -> Tensor:
    """Return the discriminator's cross-entropy (B,) in nats, from its logits (B,) for real and for decoded images."""
    softplus = torch.nn.functional.softplus
    return softplus(-real) + softplus(made)


class TotalCorrelation(NamedTuple):
    """The three parts of KL(q(z|x) || p(z)) at one sample of z; (B,) each, in nats."""

    mutual_information: Tensor  # log q(z|x) - log q(z): information about the index of the image
    total_correlation: Tensor  # log q(z) - sum_d log q(z_d): dependence between dimensions
    dimension_kl: Tensor  # sum_d log q(z_d) - log p(z_d)


class BetaTCVAETerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z)
    kl: Tensor  # (B,) log q(z|x) - log p(z) at the sample, the sum of the parts
    parts: TotalCorrelation
    loss: Tensor  # (B,) recon + mutual information + beta * total correlation + dimension_kl


def beta_tcvae(out: Output, x: Tensor, beta: float, n_data: int) -> BetaTCVAETerms:
    """Return the beta-TCVAE terms (Chen et al. 2018): beta weights the total correlation alone.

    out: the output of model(x) for x (B, C, H, W), B images sampled from a data set of n_data.
    """
    recon = -out.likelihood.log_prob(x)
    parts = total_correlation(out.z, out.posterior, out.prior, n_data)
    loss = recon + parts.mutual_information + beta * parts.total_correlation + parts.dimension_kl
    kl = parts.mutual_information + parts.total_correlation + parts.dimension_kl
    return BetaTCVAETerms(recon, kl, parts, loss)


def total_correlation(z: Tensor, q: Distribution, p: Distribution, n_data: int) -> TotalCorrelation:
    """Estimate the three parts of the KL from a batch (Chen et al. 2018, appendix C).

    z (B, D): row i is sampled from row i of q, a diagonal Gaussian over B images out of n_data. q(z) averages
    q(z|x_n) over all n_data images. In the batch, z's own image has weight 1 and each of the other B - 1 images
    represents (n_data - 1) / (B - 1) images.
    Raises ValueError for a batch of fewer than two images and for another posterior.
    """
    if not isinstance(q, Independent):
        raise ValueError("the total correlation needs a Gaussian posterior")
    b = len(z)
    if b < 2:
        raise ValueError("the total correlation needs a batch of two images or more")
    # log q(z_i,d | x_j) -> (B, B, D); row i: the sample, column j: the image
    log_q = q.base_dist.log_prob(z[:, None, :])
    weight = torch.full((b, b), (n_data - 1) / (n_data * (b - 1)), device=z.device)
    weight.fill_diagonal_(1 / n_data)  # each sample's own image
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
    """Return the terms of the capacity-controlled beta-VAE (Burgess et al. 2018).

    The KL is kept near `capacity` nats, which rises slowly during training, so that factors are learned one
    after another. The penalty is on the mean KL of the batch: images may share the capacity unevenly.
    """
    terms = elbo(out, x)
    distance = (terms.kl.mean() - capacity).abs()
    return CapacityVAETerms(terms.recon, terms.kl, terms.recon + gamma * distance)


class FactorVAETerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z)
    kl: Tensor  # (B,) KL(q(z|x) || p(z))
    total_correlation: Tensor  # (B,) log q(z) - sum_d log q(z_d), estimated by the discriminator
    loss: Tensor  # (B,) recon + beta * kl + gamma * total_correlation


def factor_vae(
    out: Output, x: Tensor, gamma: float, logits: Tensor, beta: float = 1.0
) -> FactorVAETerms:
    """Return the FactorVAE terms (Kim & Mnih 2018), with the total correlation by the density-ratio trick.

    logits (B, 2): the discriminator's output for out.z, column 0 for q(z), column 1 for the product of its
    marginals. beta is 1 in the paper.
    """
    terms = elbo(out, x)
    tc = logits[:, 0] - logits[:, 1]
    return FactorVAETerms(terms.recon, terms.kl, tc, terms.recon + beta * terms.kl + gamma * tc)


def discriminator_loss(joint: Tensor, permuted: Tensor) -> Tensor:
    """Return the discriminator's cross-entropy (B,) in nats.

    joint, permuted: logits (B, 2) of samples from q(z) and of the same samples after permute_dims.
    """
    return -0.5 * (joint.log_softmax(1)[:, 0] + permuted.log_softmax(1)[:, 1])


def permute_dims(z: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Shuffle each dimension of z (B, D) over the batch independently (Kim & Mnih 2018, algorithm 1).

    The result approximates samples from the product of the marginals. It is detached from the graph.
    """
    order = torch.rand(z.shape, generator=generator, device=z.device).argsort(0)
    return z.detach().gather(0, order)


def ada_gvae(posterior: Distribution) -> Distribution:
    """Average the shared dimensions of the posteriors of pairs (Locatello et al. 2020).

    posterior: over 2B images, where images i and B + i are a pair. A dimension counts as shared if KL(q1 || q2)
    is below the midpoint of the pair's smallest and largest; both images then get the mean of the two means and
    of the two variances. The objective is the plain ELBO with this posterior.
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
    """Return the terms of the importance-weighted bound (Burda et al. 2016) for x (B, C, H, W).

    out: the model's output for x.repeat(samples, 1, 1, 1), so row s * B + b is sample s of image b.
    dreg: use the doubly reparametrised gradient for the encoder (Tucker et al. 2019, equation 8): each sample's
    path through z is weighted by its squared normalised weight, and the direct dependence of log q on its
    parameters is dropped. It has the same mean and less variance, and does not vanish with many samples.
    Raises ValueError with dreg if the posterior is not a diagonal Gaussian.
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
        # the bound's gradient is weighted by the share once; the hook weights it again
        out.z.register_hook(lambda gradient: share[:, None] * gradient)
    bound = log_weight.logsumexp(0) - log(samples)
    return IWAETerms(recon.mean(0), kl.mean(0), bound, -bound)


class FreeBitsTerms(NamedTuple):
    recon: Tensor  # (B,) -log p(x | z)
    kl: Tensor  # (B,) KL(q(z|x) || p(z))
    clamped_kl: Tensor  # (B,) sum over dimensions of max(nats, mean KL of the dimension), equal for all images
    loss: Tensor  # (B,) recon + beta * clamped_kl


def free_bits(out: Output, x: Tensor, beta: float, nats: float) -> FreeBitsTerms:
    """Return the terms of the ELBO with free bits (Kingma et al. 2016, appendix C.8), one group per dimension.

    A dimension whose mean KL over the batch is below `nats` contributes the constant `nats`, so it has no
    gradient towards the prior.
    Raises ValueError where the KL is not known by dimension.
    """
    terms = elbo(out, x)
    if terms.kl_per_dim is None:
        raise ValueError("free bits need a KL for each dimension: a Gaussian posterior and a Gaussian prior")
    clamped_kl = terms.kl_per_dim.mean(0).clamp(min=nats).sum().expand(len(x))
    return FreeBitsTerms(terms.recon, terms.kl, clamped_kl, terms.recon + beta * clamped_kl)


def _at_sample(out: Output) -> Distribution:
    """Return the posterior; for several levels, with the lower level conditioned on the sampled upper one."""
    return out.posterior.at(out.z) if isinstance(out.posterior, Posterior) else out.posterior


def _diagonal(distribution: Distribution) -> bool:
    """Return whether a distribution is a diagonal Gaussian, as made by diagonal_normal."""
    return isinstance(distribution, Independent) and isinstance(distribution.base_dist, Normal)


def gaussian_kl(q: Distribution, p: Distribution) -> Tensor:
    """Return KL(q || p) of two diagonal Gaussians for each dimension, (B, D), in nats.

    q over (B, D), p over (D,) or (B, D).
    """
    log_ratio = p.stddev.log() - q.stddev.log()
    return log_ratio + (q.variance + (q.mean - p.mean) ** 2) / (2 * p.variance) - 0.5

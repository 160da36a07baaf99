"""What training minimises: pure terms in nats, one value per example."""

from .terms import (
    ELBO,
    BetaTCVAE,
    CapacityVAE,
    FactorVAE,
    M2Terms,
    TotalCorrelation,
    VAEGANTerms,
    VQVAETerms,
    ada_gvae,
    beta_tcvae,
    capacity_vae,
    discriminator_loss,
    elbo,
    factor_vae,
    gaussian_kl,
    m2,
    permute_dims,
    real_or_made_loss,
    total_correlation,
    vae_gan,
    vq_vae,
)

__all__ = [
    "ELBO", "BetaTCVAE", "CapacityVAE", "FactorVAE", "M2Terms", "TotalCorrelation", "VAEGANTerms",
    "VQVAETerms", "ada_gvae", "beta_tcvae", "capacity_vae", "discriminator_loss", "elbo", "factor_vae",
    "gaussian_kl", "m2", "permute_dims", "real_or_made_loss", "total_correlation", "vae_gan", "vq_vae",
]  # fmt: skip

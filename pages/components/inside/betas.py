"""The same image through models that differ in beta alone."""

from __future__ import annotations

from vae import ModelCard

from ..bridge import messages
from ..bridge.component import widget
from ..shell import cached, state

_component = widget("betas")


def models_by_beta(card: ModelCard) -> list[ModelCard]:
    """Return the models with this one's data and networks, ordered by beta; [] for a model trained on a subset.

    Their numbers of steps and their seeds may differ.
    """
    from vae.models import FAMILIES  # here, because the page shows its first picture before torch is loaded

    if card.recipe.get("images"):
        return []
    models = [
        other for other in cached.zoo_scan()[0].values()
        if (other.data, other.model_config(), cached.beta(other) is None) == (card.data, card.model_config(), False)
        and (FAMILIES[other.family].analytic_kl or not FAMILIES[other.family].has_elbo)
        and not FAMILIES[other.family].conditional
        and not other.recipe.get("images") and "recon" in other.figures
    ]  # fmt: skip
    return sorted(models, key=cached.beta)


def show_betas(models: list[ModelCard], key: str) -> None:
    """Show the image that goes through the panel, reconstructed at the posterior mean by each of these models."""
    _component(
        key=key,
        data={
            "model": state.card().name, "no_number": state.not_finite_message(),
            "models": [
                {
                    "beta": f"{cached.beta(card):g}", "here": card.name == state.card().name,
                    "active": card.figures["active_units"], "files": messages.model_files(card.name),
                }
                for card in models
            ],
        },
    )  # fmt: skip

"""The caption of a map."""

from __future__ import annotations

from ..shell import state
from ..widgets.collection import Collection, Layout


def caption(shown: Collection, layout: Layout, colour_by: str, neighbours: int) -> str:
    """Describe the map: its points, fit, interpolation, colour and lines. neighbours: number of lines."""
    parts = [f"The map shows {shown.title}, each at its {state.model().centre_name}."]
    trust = shown.map_details.get("trustworthiness", {}).get(layout.key)
    if trust is not None:
        parts.append(f"Trustworthiness {trust:.3f}, where 1 means no false neighbours.")
    if layout.key.startswith("umap"):
        seeds = shown.map_details["seed"], shown.map_details["seed_again"]
        parts.append(
            f"UMAP settings: {shown.map_details['n_neighbors']} neighbours, minimum distance "
            f"{shown.map_details['min_dist']} and seed {seeds[layout.key == 'umap_again']}. Distances on the map are "
            "not distances in latent space."
        )
        if layout.key == "umap_again":
            parts.append(f"It is rotated and mirrored to match seed {seeds[0]}. The remaining differences are random.")
    parts.append(_between_points(layout))
    if state.card().figures.get("active_units") == 0:
        parts.append(
            "No dimension is active: the largest standard deviation of the codes is "
            f"{shown.encoded.codes.std(0).max():.1g}, and that of the prior is 1. These differences are too "
            "small to change the decoded image."
        )
    if colour_by == "reconstruction error":
        parts.append("Colour shows the reconstruction error at the posterior mean, in nats.")
    parts.append(f"Lines lead from the current z to its {neighbours} nearest images.")
    return " ".join(parts)


def _between_points(layout: Layout) -> str:
    """Return the sentence on how a position between images is decoded."""
    if layout.neighbours == 1:
        return "Between images, a position decodes the nearest code, because codebook indices cannot be averaged."
    if layout.plane is None:
        return (
            f"Between images, a position decodes the mean of the {layout.neighbours} nearest codes, weighted by "
            "1/distance²."
        )
    if layout.dims is None:
        return "A position decodes the mean code, moved along the first two principal components."
    if state.model().latent_dim == 2:
        return "Each position is a latent code."
    return "A position is the current z with these two dimensions changed."

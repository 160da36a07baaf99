"""The caption of a map."""

from __future__ import annotations

from ..shell import state
from ..widgets.collection import Collection, Layout


def caption(shown: Collection, layout: Layout, colour_by: str, neighbours: int) -> str:
    """Describe the map: its points, fit, interpolation, colour and lines. neighbours: number of lines."""
    parts = [f"{shown.title}, each at its {state.model().centre_name}."]
    trust = shown.map_details.get("trustworthiness", {}).get(layout.key)
    if trust is not None:
        parts.append(f"Trustworthiness {trust:.3f} of 1.")
    if layout.key.startswith("umap"):
        seeds = shown.map_details["seed"], shown.map_details["seed_again"]
        parts.append(
            f"UMAP with {shown.map_details['n_neighbors']} neighbours, minimal distance "
            f"{shown.map_details['min_dist']}, seed {seeds[layout.key == 'umap_again']}: distances on it are "
            "not distances in latent space."
        )
        if layout.key == "umap_again":
            parts.append(f"Turned and mirrored to lie as seed {seeds[0]} does: what still changes places is chance.")
    parts.append(_between_points(layout))
    if state.card().figures.get("active_units") == 0:
        parts.append(
            "No dimension is active: the codes' largest standard deviation is "
            f"{shown.encoded.codes.std(0).max():.1g} where the prior's is 1, and the map enlarges what the decoder "
            "cannot see."
        )
    if colour_by == "reconstruction error":
        parts.append("Colour: -log p(x | z = posterior mean) in nats.")
    parts.append(f"Lines lead from the current point to the {neighbours} images near it.")
    return " ".join(parts)


def _between_points(layout: Layout) -> str:
    """Return the sentence on how a position between points is decoded."""
    if layout.neighbours == 1:
        return "A place between points shows its nearest point: between the numbers of vectors nothing lies."
    if layout.plane is None:
        return (
            f"A place between points is imagined: the mean of the {layout.neighbours} nearest points' codes, "
            "weighted by 1/distance²."
        )
    if layout.dims is None:
        return "A place is the plane's own point: the mean code, moved along two directions alone."
    if state.model().latent_dim == 2:
        return "Each place is a code, decoded as it is."
    return "A place is the current point with these two dimensions changed."

"""Operations on codes: interpolation, neighbours, directions, maps, inpainting."""

from .directions import LocalDirections, PrincipalDirections, local_directions, principal_directions
from .geometry import (
    AttributeDirection,
    along,
    attribute_direction,
    lerp,
    local_distances,
    nearest,
    prior_grid,
    prior_quantiles,
    slerp,
    support,
    swap,
    traversal,
)

__all__ = [
    "AttributeDirection", "LocalDirections", "PrincipalDirections", "along", "attribute_direction", "lerp",
    "local_directions", "local_distances", "nearest", "principal_directions", "prior_grid", "prior_quantiles",
    "slerp", "support", "swap", "traversal",
]  # fmt: skip

"""Operations on codes: interpolation, neighbours, directions, maps, inpainting."""

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
    "AttributeDirection", "along", "attribute_direction", "lerp", "local_distances", "nearest",
    "prior_grid", "prior_quantiles", "slerp", "support", "swap", "traversal",
]  # fmt: skip

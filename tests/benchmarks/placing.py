"""python -m tests.benchmarks.placing: how far a new code's place on a map lies from where UMAP's transform puts it.

One table: UMAP is fitted to 4,500 held-out codes and places 400 others, one image at a time, with two seeds; beside
that vae.latent.maps.place, and the weighted mean of neighbours that it begins with. Shares of the map's span.
"""

from __future__ import annotations

import numpy as np

from vae import store
from vae.latent import maps


def fit(name: str):
    """Return a model's codes (4500, D), others (400, D), UMAP fitted to the former and fit_umap's map of them."""
    import umap

    codes = store.Store().read_map(name).codes
    fitted, held_out = codes[:4500], codes[4500:4900]
    reducer = umap.UMAP(
        n_neighbors=maps.N_NEIGHBORS, min_dist=maps.MIN_DIST, random_state=0, n_jobs=1,
        force_approximation_algorithm=True,
    ).fit(fitted)  # fmt: skip
    return fitted, held_out, reducer, maps.fit_umap(fitted, seed=0)


def distances(fitted, held_out, reducer, xy, another_seed: bool = True) -> dict[str, np.ndarray]:
    """Return, by what places them, how far codes (N, D) lie from UMAP's transform, in shares of the map's span (N,)."""  # noqa: E501
    transform = lambda: np.concatenate([reducer.transform(z[None]) for z in held_out])  # noqa: E731
    umaps = transform()
    placed = {"place": maps.place(held_out, fitted, xy, maps.umap_repulsion(xy)), "weighted mean": maps.place(held_out, fitted, xy)}  # noqa: E501
    if another_seed:
        reducer.transform_seed = 1
        placed["UMAP, another seed"] = transform()
    return {what: np.linalg.norm(at - umaps, axis=1) / np.ptp(xy, axis=0).max() for what, at in placed.items()}


def main() -> None:
    print(f"{'model':16} {'placed by':20} {'median %':>9} {'95 % within':>12}")
    for name in ("mnist-vae-16d", "fashion-vae-16d", "rooms-vae"):
        for what, found in distances(*fit(name)).items():
            print(f"{name:16} {what:20} {100 * np.median(found):9.2f} {100 * np.quantile(found, 0.95):12.2f}", flush=True)  # noqa: E501


if __name__ == "__main__":
    main()

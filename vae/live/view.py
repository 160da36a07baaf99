"""A model in training, drawn: the frames of a film from a copy of its weights. Runs in the training process."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from scipy.linalg import orthogonal_procrustes
from torch import Tensor

from ..data import DatasetInfo, Split, pictures
from ..latent.geometry import Plane
from ..models import FAMILIES, LatentModel
from ..objectives import ELBO, Batch, Objective, elbo
from ..training.recipes import Recipe
from .film import MAX_POINTS, PLANE, SHOWN, Frame, Scene

PIXELS = 250_000  # of the validation images in the plane, so that a frame stays cheap: 318 of 28 x 28
MIN_POINTS = 100
MAX_TILE = 32  # pixels along a side of a decoded image in the plane's picture
PRIOR_EXTENT = 3.0  # standard deviations of a Gaussian prior that the plane shows
FREE_SHARE, MARGIN = 0.98, 1.25  # of the codes of a model without a prior: how many the plane shows, and room to move
SEED = 0  # of posterior samples and of samples from the prior


class View:
    """A copy of a model in training, and the validation images that it is shown by.

    The copy always has finite weights: `show` refuses others, so that it is what is left when a training breaks.
    """

    def __init__(self, recipe: Recipe, info: DatasetInfo, train: Split, validation: Split):
        torch.manual_seed(recipe.seed)  # as the training begins
        model = FAMILIES[recipe.family](recipe.config).eval().requires_grad_(False)
        self._set_up(model, info, len(train), validation, min(recipe.batch_size, len(train)))

    def _set_up(self, model: LatentModel, info: DatasetInfo, n_data: int, split: Split, batch_size: int) -> None:
        """Set what a frame needs. split: the images that the model is shown by."""
        self.model, self.info, self.n_data, self.batch_size = model, info, n_data, batch_size
        self.step = 0  # of the weights
        points = points_of(info, model.discrete)
        self.x, self.y = split.batch(order(split.labels[:points]))
        self.labels = self.y if model.num_classes else None
        self.previous: np.ndarray | None = None  # positions (P, 2) in the last frame
        self.centre, self.radius = np.zeros(2), 0.0

    @property
    def scene(self) -> Scene:
        return Scene(
            labels=self.y.numpy(), originals=self._strip(self.x[:SHOWN]), train_images=self.n_data,
            steps_per_epoch=max(1, self.n_data // self.batch_size), plane_class=self._plane_class,
        )  # fmt: skip

    def show(self, weights: dict[str, Tensor], step: int) -> bool:
        """Take over the weights after so many steps, unless one of them is not finite. Returns whether they are."""
        if not all(t.isfinite().all() for t in weights.values()):
            return False
        self.model.load_state_dict(weights)
        self.step = step
        return True

    @torch.no_grad()
    def frame(self, beta: float, objective: Objective, at: dict[str, float], train: np.ndarray) -> Frame:
        """Return the frame of the weights that were shown last.

        at: the objective's weights at this step. train (3,): recon, kl and loss of the batches since the last frame.
        Raises FloatingPointError where a validation term is not finite.
        """
        generator = torch.Generator().manual_seed(SEED)
        out = self.model(self.x, self.labels, generator)
        minimised = objective.terms(out, Batch(self.x, self.y, at, self.n_data))
        if self.model.discrete:  # its KL is -log p(z), in which each position has a part
            terms, kl = minimised, -self.model.prior.log_probs(out.z).mean(0)  # type: ignore[attr-defined]
        else:
            terms = minimised if isinstance(minimised, ELBO) else elbo(out, self.x)
            assert terms.kl_per_dim is not None  # the families of plans have Gaussians or point codes
            kl = terms.kl_per_dim.mean(0)
        validation = np.array([float(t.double().mean()) for t in (terms.recon, terms.kl, minimised.loss)])
        if not np.isfinite(validation).all():
            raise FloatingPointError("a validation term is not finite")
        means = out.posterior.mean
        if self.model.ex_post_prior:  # its prior follows from its codes
            self.model.fit_prior(means)  # type: ignore[operator]
        features = self.model.features(means)
        plane, codes = self._place(features.numpy())
        extent = self._extent(codes)
        return Frame(
            self.step, self.step * self.batch_size, beta, train, validation, kl.numpy().astype(np.float32),
            codes.astype(np.float32), extent.astype(np.float32), self._background(plane, extent),
            self._strip(self.model.decode(means[:SHOWN], self._first(self.labels))), self._samples(generator),
            moves=np.zeros((0, 2)),
        )  # fmt: skip

    @property
    def _plane_class(self) -> int:
        return int(self.y[0]) if self.model.num_classes else 0

    def _first(self, labels: Tensor | None) -> Tensor | None:
        return None if labels is None else labels[:SHOWN]

    def _place(self, features: np.ndarray) -> tuple[Plane, np.ndarray]:
        """Return the plane of features (P, F), and the positions (P, 2) on it.

        It is that of the code where this has two dimensions, else that of the first two principal components, turned
        and mirrored to fit the frame before: the directions of components may swap from one frame to the next.
        """
        dims = features.shape[1]
        if dims == 2:
            plane = Plane(np.zeros(2), np.eye(2))
            return plane, features
        origin = features.mean(0)
        axes = np.linalg.svd(features - origin, full_matrices=False)[2][:2]
        codes = (features - origin) @ axes.T
        if self.previous is not None:
            turn, _ = orthogonal_procrustes(codes, self.previous)
            axes, codes = turn.T @ axes, codes @ turn
        self.previous = codes
        return Plane(origin, axes), codes

    def _extent(self, codes: np.ndarray) -> np.ndarray:
        """Return x from, x to, y from, y to of what the plane shows: of a Gaussian prior always the same, else what
        FREE_SHARE of the codes need, which changes only when they leave it or leave most of it empty."""
        if not self.model.deterministic:
            return PRIOR_EXTENT * np.array([-1.0, 1.0, -1.0, 1.0])
        centre = np.median(codes, 0)
        radius = max(1e-3, float(np.quantile(np.abs(codes - centre).max(1), FREE_SHARE)))
        moved = np.abs(centre - self.centre).max()
        if not radius + moved <= self.radius or radius < self.radius / MARGIN**2:
            self.centre, self.radius = centre, MARGIN * radius
        return (self.centre[:, None] + self.radius * np.array([-1.0, 1.0])).ravel()

    def _background(self, plane: Plane, extent: np.ndarray) -> bytes:
        """Return a picture of PLANE x PLANE decoded images, each of the middle of its cell."""
        middles = (np.arange(PLANE) + 0.5) / PLANE
        x = extent[0] + (extent[1] - extent[0]) * middles
        y = extent[3] + (extent[2] - extent[3]) * middles
        xy = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)  # rows from the top
        z = self._codes_of(torch.from_numpy(plane.inverse(xy)).float())
        classes = torch.full((len(z),), self._plane_class) if self.model.num_classes else None
        return self._picture(self.model.decode(z, classes), PLANE, MAX_TILE)

    def _codes_of(self, features: Tensor) -> Tensor:
        """Return the codes (B, D) of features (B, F): of a discrete model the nearest vectors of its codebook."""
        if not self.model.discrete:
            return features
        model = self.model
        vectors = features.view(len(features), -1, model.latent_dim).permute(0, 2, 1).flatten(0, 1)  # (B * D, E)
        nearest = model.codebook.nearest(vectors)  # type: ignore[union-attr, operator]
        return nearest.view(len(features), model.latent_dim).float()

    def _samples(self, generator: torch.Generator) -> bytes:
        model = self.model
        z = model.sample(SHOWN, generator=generator.manual_seed(SEED))
        classes = torch.arange(SHOWN) % model.num_classes if model.num_classes else None
        return self._strip(model.decode(z, classes))

    def _strip(self, x: Tensor) -> bytes:
        return self._picture(x, len(x), max(x.shape[2:]))

    def _picture(self, x: Tensor, columns: int, tile: int) -> bytes:
        """Encode images x (B, C, H, W) as one picture, reduced where a side is longer than `tile` pixels."""
        longest = max(x.shape[2:])
        if longest > tile:
            x = torch.nn.functional.interpolate(x, scale_factor=tile / longest, mode="area")
        return encoded(pictures.to_image(pictures.sheet(x, columns, modality=self.info.modality)))


def points_of(info: DatasetInfo, discrete: bool = False) -> int:
    """Return how many validation images of a data set are shown in the plane: few where a frame takes long."""
    points = PIXELS // int(np.prod(info.image_shape))
    return min(MAX_POINTS, max(MIN_POINTS, points // 4 if discrete else points))


def order(labels: np.ndarray) -> np.ndarray:
    """Return the numbers (P,) of images with these labels (P,), first one of each of the first SHOWN classes."""
    first = np.sort(np.unique(labels, return_index=True)[1][:SHOWN])
    return np.concatenate([first, np.setdiff1d(np.arange(len(labels)), first)])


def encoded(image: Image.Image) -> bytes:
    """Return an image as a file that is quick to write and small: WebP without the slow search for fewer bytes."""
    file = io.BytesIO()
    image.save(file, "WEBP", quality=80, method=0)
    return file.getvalue()

"""Plans: what a visitor chooses before a training, and the recipe and the command line that follow from it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..data import DatasetInfo
    from ..models import NetworkConfig
    from ..training.recipes import Recipe


class Family(NamedTuple):
    """A family that can be trained before your eyes."""

    title: str
    model: str  # a key of models.FAMILIES
    has_beta: bool  # whether its objective has a weight that can be moved


FAMILIES = {
    "autoencoder": Family("Autoencoder", "ae", False),
    "vae": Family("VAE", "vae", True),
    "beta_vae": Family("beta-VAE", "vae", True),
    "conditional": Family("Conditional VAE", "cvae", True),
    "vqvae": Family("VQ-VAE", "vqvae", False),
    "tc_vae": Family("beta-TCVAE", "vae", True),
}
LIKELIHOODS = ("bernoulli", "continuous_bernoulli", "gaussian", "gaussian_learned", "gaussian_optimal")
SIZES = ("small", "medium")
MIN_DIMS, MAX_DIMS = 2, 64
MAX_BETA = 100.0
MAX_EPOCHS = 100_000
MAX_MLP_PIXELS = 32 * 32  # of an image's area; above, networks are convolutional
STEPS = 10**7  # more than any training takes: a plan ends by time, by epochs or by hand

Moves = Sequence[tuple[int, float]]  # (step, beta) from which on beta holds, steps ascending from 0


@dataclass(frozen=True)
class Plan:
    """The choices behind one training."""

    data: str  # a registered data set, or the name of a visitor's own
    family: str = "vae"  # a key of FAMILIES
    latent_dim: int = 2  # of a VQ-VAE it follows from the image
    beta: float = 1.0  # at the start; of the KL, of a TC-VAE of the total correlation
    likelihood: str = "bernoulli"  # of LIKELIHOODS
    size: str = "small"  # of SIZES
    seed: int = 0
    seconds: float = 0.0  # it ends after so much time; 0: at the server's limit
    epochs: int = 0  # it ends after so many passes over the data; 0: no limit
    title: str = ""  # of the model; "" for a title made from the choices
    images: int = 0  # of the training images, the first so many are used; 0: all that need no download

    def check(self, info: DatasetInfo) -> str:
        """Return one sentence on why a data set cannot be trained on like this; "" where it can."""
        if not info.offline:
            return f"The training images of {info.title} are not on this server."
        if self.family not in FAMILIES:
            return f"There is no family {self.family[:40]!r}."
        if self.likelihood not in LIKELIHOODS:
            return f"There is no likelihood {self.likelihood[:40]!r}."
        if self.size not in SIZES:
            return f"There is no network of size {self.size[:40]!r}."
        if type(self.latent_dim) is not int or not MIN_DIMS <= self.latent_dim <= MAX_DIMS:
            return f"The latent code must have {MIN_DIMS} to {MAX_DIMS} dimensions."
        if not valid_beta(self.beta):
            return f"Beta must be a number from 0 to {MAX_BETA:g}."
        if type(self.seed) is not int or not 0 <= self.seed < 2**31:
            return "The seed must be a whole number, 0 or more."
        if not 0 <= self.seconds < math.inf or type(self.epochs) is not int or not 0 <= self.epochs <= MAX_EPOCHS:
            return f"A training may be limited to a number of seconds and to at most {MAX_EPOCHS:,} epochs."
        if type(self.images) is not int or not (self.images == 0 or MIN_IMAGES <= self.images <= MAX_IMAGES):
            return f"A training uses {MIN_IMAGES} to {MAX_IMAGES:,} images."
        if self.family == "conditional" and len(info.classes) < 2:
            return f"A conditional VAE needs classes, and the images of {info.title} have none."
        return ""

    @property
    def name(self) -> str:
        """Return a title made from the choices: "MNIST digits, VAE, 2-D" without the data set's title."""
        family = FAMILIES[self.family].title
        dims = "" if self.family == "vqvae" else f", {self.latent_dim}-D"
        return f"{family}{dims}" + (f", {self.images:,} images" if self.images else "")

    def stored(self) -> dict[str, Any]:
        """Return the plan as JSON has it."""
        return asdict(self)

    def recipe(self, info: DatasetInfo, steps: int = STEPS, moves: Moves = ()) -> Recipe:
        """Return the recipe of a training of so many steps in which beta was moved; imports torch.

        moves: (step, beta), [] where beta kept its value.
        """
        from ..training.recipes import Recipe

        config = self._config(info)
        return Recipe(
            title=self.title or f"{info.title}, {self.name}",
            description=f"Trained on {info.noun} before your eyes.",
            family=FAMILIES[self.family].model, data=self.data, config=config, steps=steps,
            split=info.offline[0], images=self.images, batch_size=BATCH_SIZES[config.network],
            learning_rate=2e-3, warmup_steps=50, schedule="flat", objective=self._objective(moves), seed=self.seed,
        )  # fmt: skip

    def command(self, steps: int | None = None, moves: Moves = ()) -> str:
        """Return the command line that repeats the training with the same weights, bit for bit.

        steps: how many it took; None for a training that has not ended, of which nobody knows yet.
        """
        betas = ",".join(f"{step}:{value!r}" for step, value in self._betas(moves)).removeprefix("0:")
        options = {
            "data": self.data, "family": self.family, "dims": self.latent_dim, "beta": betas,
            "likelihood": self.likelihood, "size": self.size, "seed": self.seed, "title": self.title,
            "images": self.images or "", "steps": "STEPS" if steps is None else steps,
        }  # fmt: skip
        if self.family == "vqvae":
            options.pop("dims")
        if not FAMILIES[self.family].has_beta:
            options.pop("beta")
        words = [f"--{key}={shlex.quote(str(value))}" for key, value in options.items() if value != ""]
        return " ".join(["python -m vae train", *words])

    def _betas(self, moves: Moves) -> tuple[tuple[int, float], ...]:
        return tuple(moves) or ((0, float(self.beta)),)

    def _objective(self, moves: Moves) -> Any:
        from ..objectives import BetaTCVAE, BetaVAE, PiecewiseConstant, VectorQuantised

        if self.family == "vqvae":
            return VectorQuantised(commitment=10.0)
        if self.family == "autoencoder":
            return BetaVAE()
        betas = self._betas(moves)
        beta = PiecewiseConstant(betas) if len(betas) > 1 else betas[0][1]
        return BetaTCVAE(beta) if self.family == "tc_vae" else BetaVAE(beta)

    def _config(self, info: DatasetInfo) -> NetworkConfig:
        """Return the networks: an MLP for small images, convolutions for others and for a VQ-VAE."""
        from ..models import FAMILIES as MODELS

        _, height, width = info.image_shape
        medium = self.size == "medium"
        values: dict[str, Any] = dict(
            image_shape=info.image_shape, latent_dim=self.latent_dim, likelihood=self.likelihood,
        )  # fmt: skip
        if self.family == "vqvae":
            channels = _channels(height, width, medium, coarsest=4)
            rows, columns = height >> len(channels), width >> len(channels)
            values |= dict(
                latent_dim=rows * columns, network="conv", encoder=(), decoder=(), channels=channels,
                codebook=64, code_dim=16, prior_width=64, prior_layers=2,
            )  # fmt: skip
        elif height * width <= MAX_MLP_PIXELS:
            wide, narrow = (512, 256) if medium else (256, 128)
            values |= dict(network="mlp", encoder=(wide, narrow), decoder=(narrow, wide))
        else:
            dense = (256,) if medium else (128,)
            channels = _channels(height, width, medium, coarsest=8)
            values |= dict(network="conv", encoder=dense, decoder=dense, channels=channels, activation="silu")
        if self.family == "conditional":
            values["num_classes"] = len(info.classes)
        return MODELS[FAMILIES[self.family].model].Config(**values)


BATCH_SIZES = {"mlp": 128, "conv": 32}  # of conv small: in the first minutes steps count for more than images
MIN_IMAGES, MAX_IMAGES = 10, 10_000  # of a plan that limits the training images


def valid_beta(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= MAX_BETA


def _channels(height: int, width: int, medium: bool, coarsest: int) -> tuple[int, ...]:
    """Return the channels of feature maps, halved while they stay even and at least `coarsest` high and wide."""
    channels: tuple[int, ...] = ()
    while height % 2 == width % 2 == 0 and min(height, width) // 2 >= coarsest:
        height, width = height // 2, width // 2
        channels += ((32 if medium else 16) * (2 if channels else 1),)
    return channels

"""Networks of somebody's own as a LatentModel: an encoder and a decoder that follow no interface of this project.

    pair = Pair(encode, decode)      # torch modules or functions
    codes = pair.check(x)            # x: images (N, C, H, W); raises ValueError for what cannot be explored
    model = from_pair(pair, codes, x)

The model runs where the pair is. A browser runs it where `portable` can export it, see `in_browser`; the app, which is
another process, asks the one that has the pair (vae/remote.py).
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MethodType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal
from torch.nn.parameter import is_lazy

from .. import remote
from .base import FAMILIES, MIN_LOGVAR, DiagonalNormal, LatentModel, NetworkConfig, PointMass, diagonal_normal
from .checks import precise, traced
from .likelihoods import GaussianPixels

Network = Callable[..., Any]
BATCH = 100  # images or codes in one call of a network
MAX_LOGVAR = 20.0
MIN_SIGMA = 0.01  # of the Gaussian pixels
MAX_CODE = 1e6  # larger codes have squares that overflow, in maps and in the KL
SAME = 1e-3  # share of the codes' spread by which two calls may differ
OVERSHOOT = 0.25  # beyond [0, 1], for pixels of a decoder whose last layer has no sigmoid
MAX_OVERSHOOTING = 0.1  # of all pixels
# the names under which libraries return what is not a tensor
MEANS, LOGVARS, IMAGES = ("embedding", "mu", "mean", "latents"), ("log_covariance", "logvar", "log_var"), (
    "reconstruction", "sample", "recon_x",
)  # fmt: skip


class Codes(NamedTuple):
    """What an encoder returns for N images."""

    mean: Tensor  # (N, F) float32, flattened
    stddev: Tensor | None  # (N, F) float32; None for a point
    shape: tuple[int, ...]  # of one code, whose product is F
    notes: tuple[str, ...]  # one sentence for each conversion


@dataclass
class Pair:
    """An encoder and a decoder, called with what they expect.

    Modules in training mode are switched to eval mode for each call. Inputs have the dtype and the device of a
    network's weights, outputs are float32 on the CPU.
    """

    encoder: Network
    decoder: Network
    signed: bool = False  # whether images are in [-1, 1] for both
    flat: bool = False  # whether the encoder takes (B, C * H * W)
    image_shape: tuple[int, int, int] = (0, 0, 0)  # (C, H, W), set by check
    code_shape: tuple[int, ...] = ()  # of one code, set by check
    modules: list[nn.Module] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("encoder", "decoder"):
            if not callable(getattr(self, name)):
                raise ValueError(f"the {name} must be a torch module or a function, not {_kind(getattr(self, name))}")
        self.modules = list(dict.fromkeys([*modules_of(self.encoder), *modules_of(self.decoder)]))
        if any(is_lazy(t) for module in self.modules for t in [*module.parameters(), *module.buffers()]):
            raise ValueError("the model has lazy layers without weights: call it once on a batch of images first")

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Encode x (B, C, H, W) in [0, 1] to the mean (B, F), and the standard deviation where the encoder has one."""
        x = 2 * x - 1 if self.signed else x
        mean, stddev = self._in_batches(self.encoder, x.flatten(1) if self.flat else x, read_code)
        assert mean is not None
        return mean.flatten(1), None if stddev is None else stddev.flatten(1)

    def decode(self, code: Tensor) -> Tensor:
        """Decode codes (B, F) to images (B, C, H, W) in [0, 1]."""
        return self._pixels(code).clamp(0, 1)

    def _pixels(self, code: Tensor) -> Tensor:
        """Return decoded images (B, C, H, W), where 0 is black and 1 is white, not clipped."""
        codes = code.reshape(-1, *self.code_shape)
        (image,) = self._in_batches(self.decoder, codes, lambda found: (read_image(found),))
        assert image is not None
        image = image.reshape(-1, *self.image_shape)
        return (image + 1) / 2 if self.signed else image

    def _in_batches(
        self, network: Network, values: Tensor, read: Callable[[Any], tuple[Tensor | None, ...]]
    ) -> list[Tensor | None]:
        """Return the outputs of a network, each a tensor or None, as `read` takes them from what it returns."""
        if traced():
            return [_float32(part) for part in read(network(values))]
        tensor = next((t for module in modules_of(network) for t in _floats(module)), None)
        name, what = ("encoder", "images") if network is self.encoder else ("decoder", "codes")
        parts = []
        # gradients are recorded for a caller that asks for those of the inputs, and never for the weights alone
        with evaluating(self.modules), torch.set_grad_enabled(torch.is_grad_enabled() and values.requires_grad):
            for batch in values.split(BATCH):
                batch = batch.clone() if tensor is None else batch.to(tensor.device, tensor.dtype, copy=True)
                try:  # with a copy, which a network may change in place
                    found = network(batch)
                except Exception as error:  # a network of somebody's own may raise anything
                    shape = ", ".join(map(str, ("B" if len(batch) > 1 else 1, *batch.shape[1:])))
                    raise ValueError(f"the {name} fails on {what} of shape ({shape}): {_first_line(error)}") from error
                parts.append([_rows(part, len(batch), name, what) for part in read(found)])
        return [None if column[0] is None else torch.cat(column) for column in zip(*parts, strict=True)]

    # ---- checks, each with one sentence

    @torch.no_grad()
    def check(self, x: Tensor) -> Codes:
        """Encode images x (N, C, H, W) in [0, 1], and decode some. Raises ValueError, in one sentence, where the pair
        encodes no image or decodes to none."""
        self.image_shape = x.shape[1], x.shape[2], x.shape[3]
        notes = [*self._check_modules(), *self._check_encoder(x[:2])]
        mean, stddev = self.encode(x)
        if not mean.isfinite().all() or stddev is not None and not stddev.isfinite().all():
            raise ValueError("the encoder returns codes that are NaN or infinite")
        if (largest := float(mean.abs().max())) > MAX_CODE:
            raise ValueError(f"the encoder returns codes up to {largest:.2g}: scale them to at most {MAX_CODE:,.0f}")
        spread = float(mean.std(0, correction=0).max())
        if not spread > 0:
            raise ValueError("the encoder returns the same code for every image")
        again = self.encode(x[: min(len(x), BATCH)])[0]
        if float((again - mean[: len(again)]).abs().max()) > SAME * spread:
            raise ValueError(
                "the encoder returns a different code for the same image at each call: return the mean of q(z|x), and "
                "switch off dropout"
            )
        alone = self.encode(x[:1])[0]
        if alone.shape != mean[:1].shape:
            raise ValueError(f"an image alone has a code of {alone.shape[1]:,} values, in a batch {mean.shape[1]:,}")
        if float((alone - mean[:1]).abs().max()) > SAME * spread:
            raise ValueError("the code of an image depends on the other images of its batch")
        notes += self._check_decoder(mean[:BATCH])
        return Codes(mean, stddev, self.code_shape, tuple(notes))

    def _check_modules(self) -> Iterator[str]:
        """Yield notes about the state of the modules."""
        if any(part.training for module in self.modules for part in module.modules()):
            yield "The model is in training mode; each call switches it to eval mode and back."
        for module in self.modules:
            tensors = [*module.parameters(), *module.buffers()]
            devices = sorted({str(t.device) for t in tensors})
            if "meta" in devices:
                raise ValueError("the model is on the device meta, so it has no weights: load them first")
            if len(devices) > 1:
                raise ValueError(f"the model is on several devices ({', '.join(devices)}): move it to one")
            if devices not in ([], ["cpu"]):
                yield f"The model is on {devices[0]}; images and codes are copied there and back."
        kinds = {_kind(t) for module in self.modules for t in _floats(module)} - {"float32"}
        if kinds:
            yield f"The model computes in {', '.join(sorted(kinds))}; codes and images are converted to float32."

    def _check_encoder(self, x: Tensor) -> Iterator[str]:
        """Set code_shape by two images x (2, C, H, W), and yield notes about what the encoder takes and returns."""
        try:
            found = self._raw(self.encoder, x)
        except ValueError as error:
            try:
                found = self._raw(self.encoder, x.flatten(1))
                self.flat = True
                yield "The encoder gets images of shape (B, C * H * W)."
            except ValueError:
                raise error from error.__cause__
        mean, stddev = read_code(found)
        if mean.ndim < 2 or len(mean) != len(x):
            raise ValueError(f"the encoder must return codes (B, D), not shape {tuple(mean.shape)} for 2 images")
        if mean.ndim > 2:
            yield f"A code of shape {tuple(mean.shape[1:])} is flattened to {mean[0].numel():,} dimensions."
        if isinstance(found, (tuple, list)) and stddev is not None:
            yield "The encoder's outputs are used as mean and log-variance."
        self.code_shape = tuple(mean.shape[1:])

    def _check_decoder(self, code: Tensor) -> Iterator[str]:
        """Decode codes (B, F), and yield notes about what the decoder returns."""
        expected = f"(B, {', '.join(map(str, self.image_shape))})"
        image = read_image(self._raw(self.decoder, code.reshape(-1, *self.code_shape)))
        if image.ndim == 0 or len(image) != len(code) or image[0].numel() != int(np.prod(self.image_shape)):
            raise ValueError(f"the decoder must return images {expected}, not shape {tuple(image.shape)}")
        if image.ndim > 2 and tuple(image.shape[1:]) != self.image_shape:
            raise ValueError(f"the decoder must return images {expected}, not shape {tuple(image.shape)}")
        if image.ndim == 2:
            yield f"The decoder's outputs of shape (B, {image.shape[1]:,}) are used as images."
        pixels = self._pixels(code)
        self._pixels(code[:1])  # pages decode one code at a time
        if not pixels.isfinite().all():
            raise ValueError("the decoder returns pixels that are NaN or infinite")
        far = float(((pixels < -OVERSHOOT) | (pixels > 1 + OVERSHOOT)).float().mean())
        low, high = (2 * v - 1 if self.signed else v for v in (float(pixels.min()), float(pixels.max())))
        limits = "[-1, 1]" if self.signed else "[0, 1]"
        if far > MAX_OVERSHOOTING:
            raise ValueError(
                f"the decoder returns values from {low:.3g} to {high:.3g}, not pixels in {limits}: if they are "
                "logits, pass lambda z: decode(z).sigmoid()"
            )
        if float(pixels.min()) < -1e-3 or float(pixels.max()) > 1 + 1e-3:
            yield f"Decoded pixels from {low:.3g} to {high:.3g} are clipped to {limits}."

    def _raw(self, network: Network, values: Tensor) -> Any:
        """Return what a network returns, unread."""
        kept: list[Any] = []

        def read(found: Any) -> tuple[()]:
            kept.append(found)
            return ()

        self._in_batches(network, values, read)
        return kept[0]

    # ---- copies

    def copied(self) -> Pair:
        """Return a pair with its own weights, in eval mode, which a training that goes on does not change. Functions
        and what cannot be copied stay themselves."""
        memo: dict[int, Any] = {}
        encoder, decoder = (_copied(network, memo) for network in (self.encoder, self.decoder))
        for module in {*modules_of(encoder), *modules_of(decoder)} - set(self.modules):
            module.eval()
            for parameter in module.parameters():  # not module.requires_grad_, which a ScriptModule does not have
                parameter.detach_()
        return replace(self, encoder=encoder, decoder=decoder)


def modules_of(network: Network) -> list[nn.Module]:
    """Return the modules that a network uses: itself, the owner of a method, or those that a function refers to."""
    if isinstance(network, nn.Module):
        return [network]
    owner = getattr(network, "__self__", None)
    if owner is not None:
        return [owner] if isinstance(owner, nn.Module) else []
    try:
        used = inspect.getclosurevars(network)
    except TypeError:  # an object that can be called
        return [part for part in vars(network).values() if isinstance(part, nn.Module)] if _has_vars(network) else []
    return [part for part in [*used.nonlocals.values(), *used.globals.values()] if isinstance(part, nn.Module)]


def _has_vars(value: object) -> bool:
    return hasattr(value, "__dict__")


def _copied(network: Network, memo: dict[int, Any]) -> Network:
    try:
        if isinstance(network, nn.Module):
            return copy.deepcopy(network, memo)
        if isinstance(network, MethodType) and isinstance(network.__self__, nn.Module):
            return MethodType(network.__func__, copy.deepcopy(network.__self__, memo))
    except Exception:  # weights that are no leaves, locks, handles of files
        pass
    return network


@contextmanager
def evaluating(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Switch those parts of modules that are in training mode to eval mode, and back at the end."""
    training = [part for module in modules for part in module.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True


# ---- what networks return


def read_code(found: Any) -> tuple[Tensor, Tensor | None]:
    """Return the mean (B, ...) and the standard deviation, None for a point, that an encoder returned: a tensor, a
    tuple (mean, log-variance), a tuple that begins with the mean, a torch Distribution, or an object with one of these
    under a usual name. Raises ValueError for anything else."""
    if isinstance(found, Tensor):
        return _numbers(found, "code"), None
    found = getattr(found, "latent_dist", found)
    moments = isinstance(getattr(found, "mean", None), Tensor) and hasattr(found, "std")  # diffusers' distribution
    if isinstance(found, Distribution) or moments:
        return _moments(found)
    if isinstance(found, (tuple, list)) and found and not hasattr(found, "_fields"):
        if isinstance(found[0], Distribution):
            return _moments(found[0])
        mean = _numbers(found[0], "code")
        second = found[1] if len(found) > 1 else None
        if isinstance(second, Tensor) and second.shape == mean.shape:
            return mean, _stddev(second)
        return mean, None
    mean, logvar = (_named(found, names) for names in (MEANS, LOGVARS))
    if isinstance(mean, Tensor):
        return mean, _stddev(logvar) if isinstance(logvar, Tensor) and logvar.shape == mean.shape else None
    raise ValueError(
        f"the encoder must return a tensor, a tuple (mean, log-variance) or a Distribution, not {_kind(found)}"
    )


def read_image(found: Any) -> Tensor:
    """Return the images (B, ...) that a decoder returned: a tensor, the first of a tuple, the mean of a Distribution,
    or a tensor under a usual name. Raises ValueError for anything else."""
    if isinstance(found, (tuple, list)) and found and not hasattr(found, "_fields"):
        found = found[0]
    if isinstance(found, Distribution):
        found = found.mean
    if not isinstance(found, Tensor):
        found = _named(found, IMAGES)
    if not isinstance(found, Tensor):
        raise ValueError("the decoder must return images as a tensor")
    return _numbers(found, "image")


def _moments(found: Any) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of a distribution."""
    try:
        mean = found.mean
        stddev = found.stddev if isinstance(found, Distribution) else found.std
    except NotImplementedError as error:
        raise ValueError(f"the encoder's {type(found).__name__} has no mean and standard deviation") from error
    return _numbers(mean, "code"), stddev


def _named(found: Any, names: Sequence[str]) -> Any:
    """Return the first of an object's attributes or keys that is a tensor."""
    parts = (found.get(name) if isinstance(found, Mapping) else getattr(found, name, None) for name in names)
    return next((part for part in parts if isinstance(part, Tensor)), None)


def _stddev(logvar: Tensor) -> Tensor:
    return (0.5 * logvar.clamp(MIN_LOGVAR, MAX_LOGVAR)).exp()


def _numbers(found: Any, what: str) -> Tensor:
    if not isinstance(found, Tensor):
        raise ValueError(f"a network must return its {what} as a tensor, not {_kind(found)}")
    if found.is_complex() or found.dtype == torch.bool:
        raise ValueError(f"a network must return its {what} as real numbers, not {_kind(found)}")
    return found


def _float32(part: Tensor | None) -> Tensor | None:
    return None if part is None else part.to("cpu", torch.float32)


def _rows(part: Tensor | None, n: int, name: str, what: str) -> Tensor | None:
    """Return an output for n inputs as float32 (n, F); a network may squeeze a batch of one."""
    if part is not None and (part.numel() % n or n > 1 and part.shape[:1] != (n,)):
        raise ValueError(f"the {name} returns shape {tuple(part.shape)} for {n} {what}")
    return None if part is None else part.to("cpu", torch.float32).reshape(n, -1)


def _floats(module: nn.Module) -> list[Tensor]:
    return [t for t in [*module.parameters(), *module.buffers()] if t.is_floating_point()]


def _kind(value: object) -> str:
    return str(value.dtype).removeprefix("torch.") if isinstance(value, Tensor) else type(value).__name__


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]


# ---- the model


class Elsewhere:
    """The pair of a process that serves it. Without an answer everything is NaN, which pages show as such."""

    def __init__(self, name: str):
        self.name = name
        self.code_size, self.image_shape = 0, (0, 0, 0)  # set by the model
        self.has_stddev = False

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        found = remote.ask(f"{self.name}/encode", x.detach().numpy())
        nothing = np.full((len(x), self.code_size), np.nan, np.float32)
        mean, stddev = (nothing if found is None else found.get(key, nothing) for key in ("mean", "stddev"))
        return torch.from_numpy(mean.copy()), torch.from_numpy(stddev.copy()) if self.has_stddev else None

    def decode(self, code: Tensor) -> Tensor:
        found = remote.ask(f"{self.name}/decode", code.detach().numpy())
        return torch.from_numpy(
            np.full((len(code), *self.image_shape), np.nan, np.float32) if found is None else found["x_hat"].copy()
        )


class ImagePixels(GaussianPixels):
    """Gaussian pixels around what a decoder returns as an image: the logits are the mean image itself."""

    is_sigmoid = False

    def distribution(self, logits: Tensor, x: Tensor | None) -> Normal:
        return Normal(logits, self._sigma(logits, x).expand_as(logits), validate_args=False)

    def mean(self, logits: Tensor) -> Tensor:
        return logits


class Foreign(LatentModel):
    """An encoder and a decoder of somebody's own.

    z is the code itself, or, where config.code_shape is given, its coordinates along `axes` from `origin`: a code of
    many dimensions or of a feature map has no slider for each entry. p(x|z) is a Gaussian around the decoded image.
    networks: a Pair, or by default that of the process that serves this model.
    """

    foreign = True
    origin: Tensor
    axes: Tensor
    code_mu: Tensor
    code_sigma: Tensor

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        likelihood: str = "gaussian"
        served_as: str = ""  # the model's name in the process that has its networks
        code_shape: tuple[int, ...] = ()  # of the code, where z is its coordinates along some directions
        tensors: tuple[tuple[str, tuple[int, ...]], ...] = ()  # names and shapes of the weights that a browser reads

        @classmethod
        def from_dict(cls, stored: dict) -> Foreign.Config:
            tensors = tuple((str(name), tuple(shape)) for name, shape in stored.get("tensors") or ())
            found = super().from_dict({**stored, "tensors": tensors})
            assert isinstance(found, cls)
            return found

    config: Foreign.Config

    def __init__(self, config: NetworkConfig, networks: Pair | None = None):
        super().__init__(config)
        dims = config.latent_dim
        self.pixels = ImagePixels(config.sigma)
        self.register_buffer("code_mu", torch.zeros(dims))
        self.register_buffer("code_sigma", torch.ones(dims))
        size = int(np.prod(self.config.code_shape)) if self.config.code_shape else dims
        if self.config.code_shape:
            self.register_buffer("origin", torch.zeros(size))
            self.register_buffer("axes", torch.zeros(dims, size))
        for name, shape in self.config.tensors:
            hold(self, name, torch.zeros(shape))
        elsewhere = Elsewhere(self.config.served_as)
        elsewhere.code_size, elsewhere.image_shape = size, config.image_shape
        elsewhere.has_stddev = not self.deterministic
        self.networks: Pair | Elsewhere = networks or elsewhere

    def encode(self, x: Tensor, y: Tensor | None = None) -> Distribution:
        mean, stddev = self.networks.encode(self.as_images(x))
        if self.config.code_shape:
            mean = (mean - self.origin) @ self.axes.T
        return PointMass(mean) if stddev is None or self.deterministic else diagonal_normal(mean, stddev)

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return the decoded images (B, C, H, W) in [0, 1]."""
        return self.networks.decode(precise(self._code(z.to(self.dtype))))

    def _code(self, z: Tensor) -> Tensor:
        """Return the codes (B, F) of z (B, D)."""
        return self.origin + z @ self.axes if self.config.code_shape else z

    @property
    def prior(self) -> DiagonalNormal:
        return diagonal_normal(self.code_mu, self.code_sigma)

    def answer(self, question: str, array: np.ndarray) -> dict[str, np.ndarray]:
        """Answer the question of another process, "encode" or "decode"."""
        assert isinstance(self.networks, Pair)
        with torch.no_grad():
            if question == "decode":
                return {"x_hat": self.networks.decode(torch.from_numpy(array.copy())).numpy()}
            mean, stddev = self.networks.encode(torch.from_numpy(array.copy()))
        return {"mean": mean.numpy(), **({} if stddev is None else {"stddev": stddev.numpy()})}


@FAMILIES.register("foreign_vae")
class ForeignVAE(Foreign):
    """An encoder that returns mean and standard deviation of q(z|x). Its prior is unknown; N(0, I) is assumed."""

    analytic_kl = True
    prior_name = "N(0, I), which is assumed"


@FAMILIES.register("foreign_autoencoder")
class ForeignAutoencoder(Foreign):
    """An encoder that returns a point, or a code of which only some directions are explored.

    Its prior is a Gaussian fitted to the codes.
    """

    deterministic = ex_post_prior = True
    has_elbo = False
    prior_name = "a Gaussian fitted to the codes of your images"
    centre_name = "code"

    @torch.no_grad()
    def fit_prior(self, codes: Tensor) -> None:
        """Fit the Gaussian to codes (N, D)."""
        self.code_mu.copy_(codes.mean(0))
        self.code_sigma.copy_(codes.std(0, correction=0).clamp(min=1e-6))


def from_pair(
    pair: Pair, codes: Codes, x: Tensor, served_as: str = "", origin: np.ndarray | None = None,
    axes: np.ndarray | None = None,
) -> Foreign:  # fmt: skip
    """Return a checked pair as a model in eval mode. x (N, C, H, W): the images whose codes these are.

    origin (F,), axes (K, F): the directions of the code along which z lies; None for the code itself.
    """
    along = axes is not None and origin is not None
    family = ForeignAutoencoder if codes.stddev is None or along else ForeignVAE
    config = family.Config(
        image_shape=pair.image_shape, latent_dim=len(axes) if axes is not None else codes.mean.shape[1],
        served_as=served_as, code_shape=pair.code_shape if along else (),
    )  # type: ignore[arg-type]
    model = family(config, pair).eval().requires_grad_(False)
    if axes is not None and origin is not None:
        model.origin.copy_(torch.from_numpy(origin))
        model.axes.copy_(torch.from_numpy(np.ascontiguousarray(axes)))
    with torch.no_grad():
        if isinstance(model, ForeignAutoencoder):
            model.fit_prior(model.encode(x).mean)
        error = ((model.reconstruct(x[: 10 * BATCH]) - x[: 10 * BATCH]) ** 2).mean().sqrt()
    model.config = replace(config, sigma=max(MIN_SIGMA, round(float(error), 6)))
    model.pixels = ImagePixels(model.config.sigma).eval()
    return model


# ---- in a browser


def in_browser(model: Foreign) -> Foreign:
    """Return a model with float32 copies of its modules in its module tree, from which `portable` takes weights.

    Raises ValueError, the end of a sentence, where there is no copy of a module.
    """
    assert isinstance(model.networks, Pair)
    pair = model.networks.copied()
    found = type(model)(model.config, pair).eval().requires_grad_(False)
    found.load_state_dict(model.state_dict())
    for number, module in enumerate(pair.modules):
        is_copy = module not in model.networks.modules
        if is_copy:
            module.to("cpu", torch.float32)
        elif any(t.dtype != torch.float32 or t.device.type != "cpu" for t in _floats(module)):
            raise ValueError("its networks are functions of modules that are not float32 on the CPU")
        found.add_module(f"part{number}", module)
    found.card = model.card
    return found


def with_weights(model: Foreign, source: Foreign, names: Sequence[str]) -> Foreign:
    """Return a model whose state has, beside its own, these tensors of a copy in_browser. It is what a Store holds."""
    state = source.state_dict()
    own = [name for name in names if name not in model.state_dict()]
    config = replace(model.config, tensors=tuple((name, tuple(state[name].shape)) for name in own))
    found = type(model)(config, model.networks if isinstance(model.networks, Pair) else None)
    found.load_state_dict({**model.state_dict(), **{name: state[name].float() for name in own}})
    found.card = model.card
    return found.eval().requires_grad_(False)


def hold(root: nn.Module, name: str, tensor: Tensor) -> None:
    """Register a tensor under the name that it has in a state_dict, "part0.layers.0.weight"."""
    *path, last = name.split(".")
    for part in path:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root._modules[part]  # type: ignore[assignment]
    root.register_buffer(last, tensor)

"""Networks as plain data, for a runtime other than torch: vae/browser/runtime/network.js.

portable(module, inputs) turns any module into a graph of simple operations (see aten.py) and the tensors it reads.
networks(model) does so for a LatentModel: its decoder, its encoder, and what its most likely class is taken from.
network_file(model) adds all that a page without torch needs to show the model.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Independent

from .aten import NotPortable, Portable, Translator, tensor_names, translated
from .base import LatentModel
from .likelihoods import GaussianPixels

__all__ = ["NotPortable", "Portable", "network_file", "networks", "portable", "tensor_names"]

FORMAT = 2  # of network.json
FLAGS = (
    "discrete", "deterministic", "has_elbo", "analytic_kl", "conditional", "classifies", "denoises", "ex_post_prior",
)  # fmt: skip
TEXTS = ("prior_name", "temperature_name", "centre_name")


def portable(module: nn.Module, inputs: Mapping[str, Tensor], function: Callable[..., Any] | None = None) -> Portable:
    """Export a module in eval mode, for inputs of these names and shapes, whose batch is one.

    function: what is computed of the inputs, in order; by default the module itself. It may return a tensor
    ("output"), several ("output_0", ...) or a dictionary of tensors.
    Parameters and persistent buffers have the names of the module's state_dict, other constants names of their own.
    Raises NotPortable.
    """
    if module.training:
        raise NotPortable("the network is in training mode: call eval() first")
    call = _Call(module, function)
    try:
        with torch.no_grad():
            program = torch.export.export(call, tuple(inputs.values()))
            decompositions = torch.export.default_decompositions()
            for operation in translated():  # which is kept whole
                decompositions.pop(operation, None)
            program = program.run_decompositions(decompositions)
    except Exception as error:  # torch.export and the module itself raise errors of many kinds
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise NotPortable(f"torch.export cannot trace the network ({reason.rstrip('.')})") from error
    return Translator(program, tuple(inputs), call.output_names).portable


class _Call(nn.Module):
    """A module, or a function of it, as a module that returns a tuple."""

    output_names: tuple[str, ...] = ()

    def __init__(self, module: nn.Module, function: Callable[..., Any] | None):
        super().__init__()
        self.module, self.function = module, function

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        found = (self.function or self.module)(*inputs)
        if isinstance(found, Tensor):
            found = {"output": found}
        elif not isinstance(found, Mapping):
            found = {f"output_{i}": part for i, part in enumerate(found)}
        self.output_names = tuple(found)
        return tuple(found.values())


# ---- a model's networks, and the file that holds them

def networks(model: LatentModel) -> dict[str, Portable]:
    """Return the networks of a model in eval mode, with weights named as in its state_dict.

    decode    z (D,), one-hot y (K,) if conditional -> x_hat (C, H, W), the mean image in [0, 1], and logits (C, H, W),
              the parameters of p(x|z)
    encode    x (C, H, W), one-hot y if conditional -> mean (D,) of the posterior, and stddev (D,) unless it is a point
    classify  only of conditional models: x -> scores (K,), or x and one-hot y -> scores (1,) of that class. The most
              likely class has the highest.

    All with a batch of one. Raises NotPortable.
    """
    return {name: portable(model, inputs, function) for name, (function, inputs) in _functions(model).items()}


def _functions(model: Any) -> dict[str, tuple[Callable[..., dict[str, Tensor]], dict[str, Tensor]]]:
    """Return {name: (function, example inputs)} of a model's networks."""
    x, z = torch.full((1, *model.image_shape), 0.5), torch.zeros(1, model.latent_dim)
    condition = {"y": torch.eye(model.num_classes)[:1]} if model.conditional else {}

    def decode(z: Tensor, *y: Tensor) -> dict[str, Tensor]:
        logits = model.decode_logits(z, *_classes(y))
        return {"x_hat": model.pixels.mean(logits), "logits": logits}

    def encode(x: Tensor, *y: Tensor) -> dict[str, Tensor]:
        q = model.encode(x, *_classes(y))
        return {"mean": q.mean} if model.deterministic else {"mean": q.mean, "stddev": q.stddev}

    def score(x: Tensor, *y: Tensor) -> dict[str, Tensor]:
        return {"scores": model.classify(x) if model.classifies else model.class_score(x, *_classes(y))}

    found = {"decode": (decode, {"z": z, **condition}), "encode": (encode, {"x": x, **condition})}
    if model.conditional:
        found["classify"] = score, {"x": x} if model.classifies else {"x": x, **condition}
    return found


def _classes(one_hot: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(part.argmax(1) for part in one_hot)


def network_file(model: LatentModel, refusal: str = "") -> dict[str, Any]:
    """Return the content of a model's network.json, JSON-able: what shows the model without torch, but its weights.

    A network that is not portable is absent; "not_portable" holds a sentence for it. refusal: a sentence for all, with
    which none is exported.
    """
    graphs, constants, reasons = {}, {}, {}
    weights = model.state_dict()
    for name, (function, inputs) in _functions(model).items():
        if refusal:
            reasons[name] = refusal
            continue
        try:
            network = portable(model, inputs, function)
        except NotPortable as error:
            reasons[name] = str(error)
            continue
        graphs[name] = network.graph
        constants.update({key: _stored(t) for key, t in network.tensors.items() if key not in weights})
    return {
        "format": FORMAT,
        "weights_sha256": model.card.weights_sha256 if model.card else "",
        **traits(model),
        "networks": graphs,
        "not_portable": reasons,
        "constants": constants,
    }


def traits(model: LatentModel) -> dict[str, Any]:
    """Return what network.json says of a model beside its networks; cards.Traits reads it."""
    return {
        "latent_dim": model.latent_dim,
        "num_classes": model.num_classes,
        "image_shape": list(model.image_shape),
        "capabilities": capabilities(model),
        "prior": _prior(model),
        "likelihood": _likelihood(model),
    }


def capabilities(model: Any) -> dict[str, Any]:
    """Return what a model can do and how captions name it, as LatentModel's class attributes say, JSON-able."""
    found: dict[str, Any] = {name: getattr(model, name) for name in (*FLAGS, *TEXTS)}
    found["levels"] = {name: [dims.start, dims.stop] for name, dims in model.levels.items()}
    found["is_sigmoid"], found["is_cross_entropy"] = model.pixels.is_sigmoid, model.pixels.is_cross_entropy
    # a panel can draw the density of such a prior over each dimension
    found["prior_is_gaussian"] = not model.discrete and isinstance(model.prior, Independent)
    if model.values is not None:
        found["values"] = [[float(f"{value:.6g}") for value in values] for values in model.values.tolist()]
    if model.discrete:
        found["codebook_size"], found["grid"] = model.codebook_size, list(model.grid)
    return found


def _prior(model: LatentModel) -> dict[str, list[float]] | None:
    """Return mean and standard deviation (D,) of p(z), None where z holds indices."""
    if model.discrete:
        return None
    with torch.no_grad():
        moments = {"mean": model.prior.mean, "stddev": model.prior.stddev}
    return {name: [float(f"{value:.6g}") for value in moment.tolist()] for name, moment in moments.items()}


def _likelihood(model: LatentModel) -> dict[str, Any]:
    """Return the name of p(x|z) in LIKELIHOODS, and the standard deviation of Gaussian pixels, None for others."""
    sigma = float(model.pixels.sigma) if isinstance(model.pixels, GaussianPixels) else None
    return {"name": model.config.likelihood, "sigma": sigma}


def _stored(constant: Tensor) -> dict[str, Any]:
    """Return a constant as JSON: its shape, and base64 of float32 or, of zeros and ones, of one bit each."""
    values = constant.numpy()
    if np.isin(values, (0, 1)).all():
        bits = np.packbits(values.astype(bool)).tobytes()
        return {"shape": list(values.shape), "bits": base64.b64encode(bits).decode()}
    return {"shape": list(values.shape), "float32": base64.b64encode(values.astype("<f4").tobytes()).decode()}

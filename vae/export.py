"""A model in formats of others: its networks as ONNX, its encoded test images as Parquet.

    network = export.onnx_network(model, "decoder")   # bytes, for onnxruntime
    table = export.parquet(store.Store(), "mnist-vae-16d")   # bytes, for Embedding Atlas, pandas or DuckDB

They need packages that requirements.txt leaves out: onnx, onnxscript and onnxruntime.
"""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from . import extras
from .data import pictures
from .models import LatentModel
from .store import ModelUnavailable, Store

NETWORKS = ("encoder", "decoder")
TOLERANCE = 1e-4  # between onnxruntime and torch
CHECKED = 8  # examples that both compute


class _Network(NamedTuple):
    """One of a model's networks: what it computes, and examples to check it with."""

    function: Callable[..., tuple[Tensor, ...]]
    inputs: dict[str, Tensor]  # (B, ...)
    outputs: tuple[str, ...]


@torch.no_grad()
def onnx_network(model: LatentModel, network: str) -> bytes:
    """Return the encoder or the decoder of a model in eval mode as an ONNX file, for batches of any size.

    encoder    x (B, C, H, W) in [0, 1] -> mean (B, D) of the posterior, and stddev (B, D) unless it is a point or
               stddev is estimated from samples
    decoder    z (B, D) -> x_hat (B, C, H, W), the mean image in [0, 1]

    Conditional models also take y (B,) int64. The file was run by onnxruntime and agrees with torch within 1e-4.
    Raises ValueError where packages are missing, for a network that torch cannot export, and where the two disagree.
    """
    extras.require("ONNX files", "onnx", "onnxscript", "onnxruntime")
    import onnx

    found = _network(model, network)
    inputs, batch = tuple(found.inputs.values()), {0: torch.export.Dim("batch")}
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")  # of the exporter, about its own calls
        try:
            graph = torch.export.export(
                _Function(model, found.function), inputs, dynamic_shapes={"inputs": (batch,) * len(inputs)}
            )
            decompositions = torch.export.default_decompositions()
            decompositions[torch.ops.aten.logaddexp.default] = _logaddexp
            graph = graph.run_decompositions(decompositions)
            program = torch.onnx.export(
                graph, inputs, dynamo=True, verbose=False, input_names=list(found.inputs),
                output_names=list(found.outputs),
            )  # fmt: skip
        except Exception as error:  # the exporter raises errors of many kinds
            raise ValueError(f"torch cannot export the {network} to ONNX ({_reason(error)})") from error
    assert program is not None  # with dynamo
    proto = program.model_proto
    card = model.card
    if card is not None:
        proto.doc_string = card.description
        onnx.helper.set_model_props(proto, {"model": card.name, "title": card.title, "licence": card.licence})
    content = proto.SerializeToString()
    _check(content, found, network)
    return content


def _reason(error: BaseException) -> str:
    """Return the first line of the error that caused another one."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".:") if lines else type(error).__name__


def _logaddexp(a: Tensor, b: Tensor) -> Tensor:
    """Return log(exp(a) + exp(b)). The exporter's own form overflows in float32 above 88."""
    return torch.maximum(a, b) + torch.log1p(torch.exp(-(a - b).abs()))


class _Function(nn.Module):
    """A function of a model as a module, which holds the model's weights."""

    def __init__(self, model: LatentModel, function: Callable[..., tuple[Tensor, ...]]):
        super().__init__()
        self.model, self.function = model, function

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return self.function(*inputs)


def _network(model: LatentModel, network: str) -> _Network:
    if network not in NETWORKS:
        raise ValueError(f"there is no network {network!r}: expected {' or '.join(NETWORKS)}")
    generator = torch.Generator().manual_seed(0)
    classes = torch.arange(CHECKED) % max(1, model.num_classes)
    condition = {"y": classes} if model.conditional else {}
    if network == "decoder":
        z = model.sample(CHECKED, generator=generator)
        return _Network(lambda z, *y: (model.decode(z, *y),), {"z": z, **condition}, ("x_hat",))

    def encode(x: Tensor, *y: Tensor) -> tuple[Tensor, ...]:
        q = model.encode(x, *y)
        return (q.mean,) if only_mean else (q.mean, q.stddev)

    x = torch.rand(CHECKED, *model.image_shape, generator=generator)
    posterior = model.encode(x, *condition.values())
    only_mean = model.deterministic or getattr(posterior, "samples_moments", False)
    return _Network(encode, {"x": x, **condition}, ("mean",) if only_mean else ("mean", "stddev"))


def _check(content: bytes, network: _Network, name: str) -> None:
    """Run an ONNX file on examples, and on the first one alone. Raises ValueError where torch computes others."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    for n in (CHECKED, 1):
        inputs = {key: tensor[:n] for key, tensor in network.inputs.items()}
        found = session.run(list(network.outputs), {key: tensor.numpy() for key, tensor in inputs.items()})
        for key, theirs, ours in zip(network.outputs, found, network.function(*inputs.values()), strict=True):
            difference = float(np.abs(theirs - ours.numpy()).max())
            if not difference <= TOLERANCE:
                raise ValueError(f"onnxruntime and torch differ by {difference:.2g} in {key} of the {name}")


class _quiet:
    """A context in which the exporter's log says nothing below an error."""

    NAMES = ("torch.onnx", "onnxscript", "onnx_ir")

    def __enter__(self) -> None:
        self.levels = {name: logging.getLogger(name).level for name in self.NAMES}
        for name in self.NAMES:
            logging.getLogger(name).setLevel(logging.ERROR)

    def __exit__(self, *error: object) -> None:
        for name, level in self.levels.items():
            logging.getLogger(name).setLevel(level)


def parquet(store: Store, name: str) -> bytes:
    """Return the encoded test images of a model as a Parquet file, one row each.

    row        int64, index in the data's test split
    x, y       float32, its position on the UMAP; pca_x, pca_y on the PCA
    label      text, its class
    error      float32, -log p(x | z = mean) in nats
    z          list of D float32, its posterior mean
    image      {bytes, path}: a PNG and a file name, which Embedding Atlas and Hugging Face datasets show as an image

    Raises ValueError where pyarrow is missing, ModelUnavailable where the model has no map, and OSError where its test
    images cannot be read.
    """
    extras.require("Parquet files", "pyarrow")
    import pyarrow
    from pyarrow import parquet as format

    card, encoded = store.read_card(name), store.read_map(name)
    info = store.dataset(card)
    split = info.load("test")
    if encoded.rows.max() >= len(split):
        raise ModelUnavailable(f"the map of {name} was made from other test images")
    images = info.modality.picture(split.render(encoded.rows) / np.float32(255))
    columns = {
        "row": encoded.rows, "x": encoded.umap[:, 0], "y": encoded.umap[:, 1], "pca_x": encoded.pca[:, 0],
        "pca_y": encoded.pca[:, 1], "label": [info.classes[label] for label in split.labels[encoded.rows]],
        "error": encoded.recon,
    }  # fmt: skip
    table = pyarrow.table({
        **columns,
        "z": pyarrow.array(list(encoded.codes.astype(np.float32)), pyarrow.list_(pyarrow.float32())),
        "image": pyarrow.array(
            [{"bytes": pictures.png(pictures.to_image(pixels)), "path": f"{card.data}-{row}.png"}
             for row, pixels in zip(encoded.rows, images, strict=True)],
            pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())]),
        ),
    })  # fmt: skip
    about = {"model": card.name, "title": card.title, "licence": card.licence, "data": info.title,
             "data_licence": info.licence, "error": "nats, -log p(x | z = posterior mean)"}  # fmt: skip
    table = table.replace_schema_metadata({"latent-space-explorer": json.dumps(about)})
    file = io.BytesIO()
    format.write_table(table, file, compression="zstd")
    return file.getvalue()

"""Folders in the layouts that other projects publish, with random weights, and what those projects compute.

The computations are written with torch.nn.functional on the tensors of the file, not with anything of vae/.
"""

import json

import torch
from torch.nn import functional as F


def _tensors(shapes, seed=0, scale=0.3):
    generator = torch.Generator().manual_seed(seed)
    return {name: scale * torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def _layer(name, *shape, out=None):
    return {f"{name}.weight": shape, f"{name}.bias": (shape[0] if out is None else out,)}


def _dense(x, t, name):
    return F.linear(x, t[f"{name}.weight"], t[f"{name}.bias"])


# ---- disentangling-vae


def disentangling_vae(folder, image_shape=(1, 32, 32), dims=3, specs=(), tensors=None):
    """Write specs.json and model.pt. Returns the tensors."""
    channels, side = image_shape[0], image_shape[1]
    shapes = {}
    for name, c in [("conv1", channels), ("conv2", 32), ("conv3", 32), *[("conv_64", 32)] * (side == 64)]:
        shapes |= _layer(f"encoder.{name}", 32, c, 4, 4)
    shapes |= _layer("encoder.lin1", 256, 512) | _layer("encoder.lin2", 256, 256)
    shapes |= _layer("encoder.mu_logvar_gen", 2 * dims, 256)
    shapes |= _layer("decoder.lin1", 256, dims) | _layer("decoder.lin2", 256, 256) | _layer("decoder.lin3", 512, 256)
    for name, c in [*[("convT_64", 32)] * (side == 64), ("convT1", 32), ("convT2", 32), ("convT3", channels)]:
        shapes |= _layer(f"decoder.{name}", 32, c, 4, 4, out=c)
    tensors = tensors or _tensors(shapes, scale=0.05)
    folder.mkdir(parents=True, exist_ok=True)
    described = {
        "img_size": list(image_shape), "latent_dim": dims, "model_type": "Burgess", "rec_dist": "bernoulli",
        "loss": "btcvae", "dataset": "dsprites", "epochs": 30, **dict(specs),
    }  # fmt: skip
    (folder / "specs.json").write_text(json.dumps(described), encoding="utf-8")
    torch.save(tensors, folder / "model.pt")
    return tensors


def disentangling_vae_encode(t, x):
    """x (B, C, H, W) -> mu and logvar (B, D)."""
    for name in [name for name in ("conv1", "conv2", "conv3", "conv_64") if f"encoder.{name}.weight" in t]:
        x = F.conv2d(x, t[f"encoder.{name}.weight"], t[f"encoder.{name}.bias"], stride=2, padding=1).relu()
    x = x.reshape(len(x), -1)
    x = _dense(_dense(x, t, "encoder.lin1").relu(), t, "encoder.lin2").relu()
    both = _dense(x, t, "encoder.mu_logvar_gen")
    return both.view(len(x), -1, 2).unbind(-1)


def disentangling_vae_decode(t, z):
    for name in ("lin1", "lin2", "lin3"):
        z = _dense(z, t, f"decoder.{name}").relu()
    x = z.view(-1, 32, 4, 4)
    for name in [name for name in ("convT_64", "convT1", "convT2", "convT3") if f"decoder.{name}.weight" in t]:
        x = F.conv_transpose2d(x, t[f"decoder.{name}.weight"], t[f"decoder.{name}.bias"], stride=2, padding=1)
        x = x.sigmoid() if name == "convT3" else x.relu()
    return x


# ---- pythae


def pythae(folder, name="VAEConfig", conv=False, dims=3, config=(), tensors=None):
    """Write model_config.json, environment.json and model.pt, of its MLP or its convolutional networks for MNIST, and
    beside those the pickles of code that it saves. Returns the tensors."""
    point = name == "AEConfig"
    widths = (1, 128, 256, 512, 1024)
    if conv:
        shapes = {}
        for i, (c_in, c_out) in enumerate(zip(widths, widths[1:], strict=False)):
            shapes |= _layer(f"encoder.layers.{i}.0", c_out, c_in, 4, 4) | _norm(f"encoder.layers.{i}.1", c_out)
        shapes |= _layer("decoder.layers.0", 16384, dims)
        for i, (c_in, c_out) in enumerate([(1024, 512), (512, 256), (256, 1)], 1):
            shapes |= _layer(f"decoder.layers.{i}.0", c_in, c_out, 3, 3, out=c_out)
            shapes |= _norm(f"decoder.layers.{i}.1", c_out) if c_out > 1 else {}
        features = 1024
    else:
        shapes = _layer("encoder.layers.0.0", 512, 784)
        shapes |= _layer("decoder.layers.0.0", 512, dims) | _layer("decoder.layers.1.0", 784, 512)
        features = 512
    for head in ("embedding",) if point else ("embedding", "log_var"):
        shapes |= _layer(f"encoder.{head}", dims, features)
    tensors = tensors or _tensors(shapes, scale=0.05)
    for key in tensors:
        if key.endswith("running_var"):
            tensors[key] = tensors[key].abs() + 0.5
        if key.endswith("num_batches_tracked"):
            tensors[key] = torch.tensor(7)
    folder.mkdir(parents=True, exist_ok=True)
    described = {
        "name": name, "input_dim": [1, 28, 28], "latent_dim": dims, "uses_default_encoder": not conv,
        "uses_default_decoder": not conv, "reconstruction_loss": "mse", **dict(config),
    }  # fmt: skip
    (folder / "model_config.json").write_text(json.dumps(described), encoding="utf-8")
    environment = {"name": "EnvironmentConfig", "python_version": "3.8"}
    (folder / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    torch.save({"model_state_dict": tensors}, folder / "model.pt")
    if conv:
        for part in ("encoder", "decoder"):
            (folder / f"{part}.pkl").write_bytes(b"never opened")
    return tensors


def _norm(name, channels):
    parts = ("weight", "bias", "running_mean", "running_var")
    return {**{f"{name}.{part}": (channels,) for part in parts}, f"{name}.num_batches_tracked": ()}


def _normalised(x, t, name):
    weight, bias, mean, variance = (
        t[f"{name}.{part}"].view(1, -1, 1, 1) for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / (variance + 1e-5).sqrt() * weight + bias


def pythae_encode(t, x):
    """x (B, 1, 28, 28) -> mean (B, D), and log-variance where there is one."""
    if "encoder.layers.1.0.weight" in t:
        for i in range(4):
            x = F.conv2d(x, t[f"encoder.layers.{i}.0.weight"], t[f"encoder.layers.{i}.0.bias"], stride=2, padding=1)
            x = _normalised(x, t, f"encoder.layers.{i}.1").relu()
        h = x.reshape(len(x), -1)
    else:
        h = _dense(x.reshape(len(x), -1), t, "encoder.layers.0.0").relu()
    return [_dense(h, t, f"encoder.{head}") for head in ("embedding", "log_var") if f"encoder.{head}.bias" in t]


def pythae_decode(t, z):
    if "decoder.layers.0.weight" not in t:
        return _dense(_dense(z, t, "decoder.layers.0.0").relu(), t, "decoder.layers.1.0").sigmoid().view(-1, 1, 28, 28)
    x = _dense(z, t, "decoder.layers.0").view(-1, 1024, 4, 4)
    for i in (1, 2, 3):
        x = F.conv_transpose2d(
            x, t[f"decoder.layers.{i}.0.weight"], t[f"decoder.layers.{i}.0.bias"], stride=2, padding=1,
            output_padding=0 if i == 1 else 1,
        )  # fmt: skip
        x = x.sigmoid() if i == 3 else _normalised(x, t, f"decoder.layers.{i}.1").relu()
    return x

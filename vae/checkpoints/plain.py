"""A plain state dict of a family here: its weights, and config.json with its family and the fields of its config.

    torch.save(model.state_dict(), "model.pt")   # or safetensors.torch.save_file(model.state_dict(), ...)
    json.dump({"family": "vae", **dataclasses.asdict(model.config)}, open("config.json", "w"))
"""

from __future__ import annotations

from pathlib import Path

from ..models import FAMILIES
from .base import READERS, SUFFIXES, Checkpoint, CheckpointError, Source, build, fill

CONFIG = "config.json"


@READERS.register("plain")
def read(source: Source) -> Checkpoint | None:
    """Read one file of weights beside config.json."""
    content = source.json(CONFIG)
    if content is None or "family" not in content:
        return None
    family = content.pop("family")
    if not isinstance(family, str) or family not in FAMILIES or FAMILIES[family].foreign:
        known = ", ".join(name for name, found in FAMILIES.items() if not found.foreign)
        raise CheckpointError(f"its config.json must name a family here, one of {known}, not {family!r:.60}")
    try:
        model = build(family, FAMILIES[family].Config.from_dict(content))
    except (ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"its config.json does not build a model: {error}") from error
    stems = [path.stem for path in _weights(source.folder)]
    if source.weights is None and len(stems) != 1:
        raise CheckpointError(f"{source.folder} has {len(stems)} files of weights: name the one to import")
    fill(model, source.tensors(*stems))
    return Checkpoint("this project", model.image_shape, model)


def _weights(folder: Path) -> list[Path]:
    """Return the files of weights in a folder: the safetensors, else the pickles."""
    found = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    return [path for path in found if path.suffix == SUFFIXES[0]] or found

"""Checkpoints of a run: written atomically, verified by checksum; the last two are kept.

folder/step-00001000/ holds model.safetensors, optimizer.pt, average.safetensors if weights are averaged,
critic.pt if there is a discriminator, recipe.json and progress.json.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors.torch import load as load_weights
from safetensors.torch import save as save_weights
from torch import Tensor

NAME = re.compile(r"step-(\d{8})")
KEEP_LAST = 2  # checkpoints: if the newest is damaged, the one before it is used
OTHER_ENTRIES = ("writing", "finished", "lock")  # in the folder of a run
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """The progress of a run and its cost."""

    step: int
    core_seconds: float = 0.0  # processor time of training over all resumptions, without evaluation
    starts_from_sha256: str = ""  # of the initial weights, where they are a shipped model's


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint, read and verified."""

    progress: Progress
    recipe: dict  # Recipe.hyperparameters()
    files: dict[str, bytes]  # by name


def tensors(content: bytes) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file's content, by name."""
    return load_weights(content)


def content_of(state: dict[str, Tensor]) -> bytes:
    """Return a state dict as the content of a safetensors file."""
    return save_weights({name: t.contiguous() for name, t in state.items()})


def try_writing(folder: Path) -> None:
    """Check before long work that a folder can be written to. Raises OSError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError as error:
        raise OSError(f"{folder} cannot be written to ({error.strerror or error})") from error


def write(folder: Path, recipe: dict, progress: Progress, files: dict[str, bytes]) -> None:
    """Write a checkpoint and remove all but the last KEEP_LAST.

    Raises OSError where it cannot be written; earlier checkpoints remain and no partial one does.
    """
    final = folder / f"step-{progress.step:08d}"
    if final.is_dir():
        return
    files = {**files, "recipe.json": json.dumps(recipe, indent=1, sort_keys=True).encode()}
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files["progress.json"] = json.dumps({**asdict(progress), "sha256": sums}, indent=1).encode()
    try:
        write_folder(final, files)
    except OSError as error:
        kept = _list_checkpoints(folder)
        consequence = f"the checkpoint of step {kept[-1][0]:,} is kept" if kept else "there is no checkpoint yet"
        raise OSError(f"{error.strerror}; {consequence}") from error
    for _, old in _list_checkpoints(folder)[:-KEEP_LAST]:
        shutil.rmtree(old)


def write_folder(final: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder, all or none, replacing an earlier one. Raises OSError."""
    temporary = final.with_name("writing")
    try:
        _move_aside(temporary)
        temporary.mkdir(parents=True)
        for name, content in files.items():
            with (temporary / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # otherwise a power cut may leave a file of zeros
        _move_aside(final)
        os.replace(temporary, final)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise OSError(error.errno, f"{final} could not be written ({error.strerror or error})") from error


def _move_aside(path: Path) -> None:
    """Make room for a folder: an old folder is removed, a file of the same name is renamed."""
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        os.replace(path, path.with_name(f"damaged-{path.name}"))


def last_step(folder: Path) -> int:
    """Return the step of a folder's newest checkpoint, damaged or not; 0 if there is none."""
    return max((step for step, _ in _list_checkpoints(folder)), default=0)


def newest(folder: Path) -> Checkpoint | None:
    """Return the newest undamaged checkpoint of a folder, or None.

    Logs a warning that names each damaged file and each unexpected file. Damaged checkpoints are renamed, so
    that they do not block later ones.
    """
    if not folder.is_dir():
        return None
    for path in sorted(folder.iterdir()):
        is_checkpoint = NAME.fullmatch(path.name) and path.is_dir()
        if not is_checkpoint and path.name not in OTHER_ENTRIES and not path.name.startswith("damaged-"):
            log.warning("%s is not a checkpoint and is ignored", path)
    damaged = False
    for _, path in reversed(_list_checkpoints(folder)):
        try:
            found = _read(path)
        except ValueError as error:
            log.warning("%s; this checkpoint is not used", error)
            renamed = path.with_name(f"damaged-{path.name}")
            shutil.rmtree(renamed, ignore_errors=True)
            os.replace(path, renamed)
            damaged = True
            continue
        if damaged:
            log.warning("resuming from step %s of %s", f"{found.progress.step:,}", folder)
        return found
    if damaged:
        log.warning("%s holds no undamaged checkpoint; the run starts at step 0", folder)
    return None


def _list_checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """Return the checkpoints of a folder as (step, path), oldest first."""
    matches = [(NAME.fullmatch(path.name), path) for path in folder.glob("step-*") if path.is_dir()]
    return sorted((int(match[1]), path) for match, path in matches if match)


def _read(path: Path) -> Checkpoint:
    """Read and verify a checkpoint. Raises ValueError, naming the file, where one is missing or damaged."""
    try:
        stored = json.loads((path / "progress.json").read_bytes())
        sums = stored.pop("sha256")
        progress = Progress(**stored)
        step = int(path.name.removeprefix("step-"))
        if not isinstance(sums, dict) or "recipe.json" not in sums or progress.step != step:
            raise ValueError("it belongs to another checkpoint")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path / 'progress.json'} is missing or damaged") from error
    files = {}
    for name, expected in sums.items():
        try:
            files[name] = (path / name).read_bytes()
        except OSError as error:
            raise ValueError(f"{path / name} is missing or unreadable") from error
        if hashlib.sha256(files[name]).hexdigest() != expected:
            raise ValueError(f"{path / name} is damaged")
    return Checkpoint(progress, json.loads(files.pop("recipe.json")), files)

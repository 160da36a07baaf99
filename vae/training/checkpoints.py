"""Checkpoints of a run: written in one move, checked by checksum, the last two kept.

folder/step-00001000/ holds model.safetensors, optimizer.pt, average.safetensors where weights are
averaged, critic.pt where there is a discriminator, recipe.json and progress.json.
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
KEPT = 2  # checkpoints: should the newest be damaged, the one before it is used
BESIDE = ("writing", "finished", "lock")  # what else a run keeps in its folder
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a run is and what it has cost."""

    step: int
    core_seconds: float = 0.0  # processor time of all parts of the run, without measuring
    starts_from_sha256: str = ""  # of the weights that the first step began with


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint, read and verified."""

    progress: Progress
    recipe: dict  # as Recipe.hyperparameters
    files: dict[str, bytes]  # by name


def tensors(content: bytes) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file's content, by name."""
    return load_weights(content)


def content_of(state: dict[str, Tensor]) -> bytes:
    """Return a state dict as the content of a safetensors file."""
    return save_weights({name: t.contiguous() for name, t in state.items()})


def try_writing(folder: Path) -> None:
    """Make sure, before long work begins, that its result can be written. Raises OSError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError as error:
        raise OSError(f"{folder} cannot be written to ({error.strerror or error})") from error


def write(folder: Path, recipe: dict, progress: Progress, files: dict[str, bytes]) -> None:
    """Write a checkpoint and remove all but the last KEPT.

    Raises OSError where it cannot be written; the checkpoints before it stay, and no part of it does.
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
        kept = _found(folder)
        what = f"the checkpoint of step {kept[-1][0]:,} is kept" if kept else "there is no checkpoint yet"
        raise OSError(f"{error.strerror}; {what}") from error
    for _, old in _found(folder)[:-KEPT]:
        shutil.rmtree(old)


def write_folder(final: Path, files: dict[str, bytes]) -> None:
    """Write files into a new folder, all or none, in place of a former one. Raises OSError."""
    fresh = final.with_name("writing")
    try:
        _move_aside(fresh)
        fresh.mkdir(parents=True)
        for name, content in files.items():
            with (fresh / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # else a power cut may leave a file of zeros under its final name
        _move_aside(final)
        os.replace(fresh, final)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise OSError(error.errno, f"{final} could not be written ({error.strerror or error})") from error


def _move_aside(path: Path) -> None:
    """Make room for a folder: an old one goes, a file that somebody put there is renamed."""
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        os.replace(path, path.with_name(f"damaged-{path.name}"))


def last_step(folder: Path) -> int:
    """Return the step of a folder's newest checkpoint, damaged or not, and 0 where there is none."""
    return max((step for step, _ in _found(folder)), default=0)


def newest(folder: Path) -> Checkpoint | None:
    """Return the newest undamaged checkpoint of a folder, or None.

    Logs a warning that names each damaged file and each file that does not belong here. Damaged
    checkpoints are renamed, so that they are in the way of no later one.
    """
    if not folder.is_dir():
        return None
    for path in sorted(folder.iterdir()):
        is_checkpoint = NAME.fullmatch(path.name) and path.is_dir()
        if not is_checkpoint and path.name not in BESIDE and not path.name.startswith("damaged-"):
            log.warning("%s is no checkpoint and is ignored", path)
    damaged = False
    for _, path in reversed(_found(folder)):
        try:
            found = _read(path)
        except ValueError as error:
            log.warning("%s; this checkpoint is not used", error)
            aside = path.with_name(f"damaged-{path.name}")
            shutil.rmtree(aside, ignore_errors=True)
            os.replace(path, aside)
            damaged = True
            continue
        if damaged:
            log.warning("going on from step %s of %s", f"{found.progress.step:,}", folder)
        return found
    if damaged:
        log.warning("%s holds no undamaged checkpoint; the run begins at step 0", folder)
    return None


def _found(folder: Path) -> list[tuple[int, Path]]:
    """The checkpoints of a folder with their steps, oldest first."""
    matches = [(NAME.fullmatch(path.name), path) for path in folder.glob("step-*") if path.is_dir()]
    return sorted((int(match[1]), path) for match, path in matches if match)


def _read(path: Path) -> Checkpoint:
    """Raises ValueError, naming the file, for a checkpoint that is not whole."""
    try:
        stored = json.loads((path / "progress.json").read_bytes())
        sums = stored.pop("sha256")
        progress = Progress(**stored)
        step = int(NAME.fullmatch(path.name)[1])
        if not isinstance(sums, dict) or "recipe.json" not in sums or progress.step != step:
            raise ValueError("it is of another checkpoint")
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

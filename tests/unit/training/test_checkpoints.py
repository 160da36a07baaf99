"""Damage of every kind to a run's folder: named, survived, nothing half-written."""

import json
import logging
import os
from dataclasses import replace

import pytest
import torch

from tests.unit.training.test_loop import TINY, same, weights
from vae.training import checkpoints
from vae.training.loop import Stopped, train


@pytest.fixture
def run(tiny_split, tmp_path):
    """A run of 12 steps that has stopped after 9, with checkpoints of steps 6 and 9."""
    split = tiny_split((1, 28, 28))

    def go_on(folder=tmp_path / "run", **options):
        return train("tiny", TINY, folder, split=split, progress=False, checkpoint_every=3, **options)

    with pytest.raises(Stopped):
        go_on(stop=lambda: (tmp_path / "run" / "step-00000009").exists())
    go_on.folder, go_on.whole = tmp_path / "run", lambda: go_on(tmp_path / "whole")
    return go_on


def cut(content):
    return content[: len(content) // 2]


DAMAGE = {"cut": cut, "empty": lambda content: b"", "zeroed": lambda content: bytes(len(content))}
FILES = ("model.safetensors", "average.safetensors", "optimizer.pt", "recipe.json", "progress.json")


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(run, file, damage, caplog):
    path = run.folder / "step-00000009" / file
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    found = checkpoints.newest(run.folder)
    assert found.progress.step == 6
    assert str(path) in caplog.text and "resuming from step 6" in caplog.text
    assert same(weights(run()), weights(run.whole()))


def test_a_missing_file_is_damage_too(run, caplog):
    (run.folder / "step-00000009" / "optimizer.pt").unlink()
    assert checkpoints.newest(run.folder).progress.step == 6 and "optimizer.pt is missing" in caplog.text


def test_where_every_checkpoint_is_damaged_the_run_begins_anew_and_says_so(run, caplog):
    for step in (6, 9):
        (run.folder / f"step-{step:08d}" / "model.safetensors").write_bytes(b"")
    model = run()
    assert "no undamaged checkpoint; the run starts at step 0" in caplog.text
    assert same(weights(model), weights(run.whole()))
    # the damaged ones are in nobody's way
    caplog.clear()
    assert checkpoints.newest(run.folder).progress.step == 12 and not caplog.text


@pytest.mark.parametrize("stray", ["notes.txt", "step-9", "step-00000010", "step-00000012", ".DS_Store"])
def test_a_stray_file_is_named_and_ignored(run, stray, caplog):
    (run.folder / stray).write_text("not a checkpoint", encoding="utf-8")
    assert checkpoints.newest(run.folder).progress.step == 9
    assert f"{run.folder / stray} is not a checkpoint and is ignored" in caplog.text
    assert same(weights(run()), weights(run.whole()))


def test_a_renamed_checkpoint_is_not_taken_for_another_step(run, caplog):
    os.rename(run.folder / "step-00000009", run.folder / "step-00000011")
    assert checkpoints.newest(run.folder).progress.step == 6 and "progress.json" in caplog.text


def test_a_checkpoint_that_cannot_be_written_leaves_no_part_and_the_one_before(run, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"step-00000012 could not be written \(No space left on device\); the "
        r"checkpoint of step 9 is kept"):
        run()
    assert sorted(p.name for p in run.folder.iterdir()) == ["step-00000006", "step-00000009"]
    monkeypatch.undo()
    assert same(weights(run()), weights(run.whole()))


def test_a_folder_is_tried_before_the_first_step(tiny_split, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    calls = []
    split = tiny_split((1, 28, 28))
    with pytest.raises(OSError, match="cannot be written to"):
        train("tiny", TINY, tmp_path / "file" / "run", progress=False,
              split=replace(split, render=lambda rows: calls.append(rows) or split.render(rows)))  # fmt: skip
    assert not calls


def test_the_cost_of_a_run_adds_up_over_interruptions(run):
    before = checkpoints.newest(run.folder).progress.core_seconds
    run()
    after = checkpoints.newest(run.folder).progress
    assert 0 < before < after.core_seconds < 60 and after.step == 12 and after.starts_from_sha256 == ""


def test_what_is_pickled_in_a_checkpoint_cannot_run_code(run):
    found = checkpoints.newest(run.folder)
    assert isinstance(torch.load(run.folder / "step-00000009" / "optimizer.pt", weights_only=True), dict)
    assert json.loads((run.folder / "step-00000009" / "progress.json").read_text(encoding="utf-8"))["step"] == found.progress.step  # noqa: E501
    logging.getLogger("vae").debug("read")

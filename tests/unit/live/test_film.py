import dataclasses
import zipfile

import numpy as np
import pytest

from vae.live import Frame, film

from .without_torch import SCENE, frame


@pytest.mark.parametrize("part", [SCENE, frame(7), frame(0, train=np.full(3, np.nan))])
def test_a_part_is_read_as_it_was_written(part, tmp_path):
    film.write(part, tmp_path / "a.npz")
    again = film.read(type(part), tmp_path / "a.npz")
    for field in dataclasses.fields(part):
        written, found = getattr(part, field.name), getattr(again, field.name)
        assert type(written) is type(found)
        np.testing.assert_array_equal(written, found)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("changes", [
    dict(step=-1), dict(beta=np.float64("inf")), dict(step=np.arange(3)), dict(train=np.ones(4)),
    dict(validation=np.full(3, np.nan)), dict(codes=np.zeros((1001, 2), np.float32)), dict(codes=np.zeros((9, 2))),
    dict(codes=np.full((9, 2), np.inf, np.float32)), dict(kl=np.zeros(5000, np.float32)), dict(plane=b"<svg>"),
    dict(plane=b"RIFF" + bytes(500_000)), dict(moves=np.zeros(2)), dict(extent=np.zeros(4)),
])  # fmt: skip
def test_a_part_that_is_none_is_refused(changes, tmp_path):
    film.write(dataclasses.replace(frame(3), **changes), tmp_path / "a.npz")
    with pytest.raises(ValueError):
        film.read(Frame, tmp_path / "a.npz")


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


def test_a_file_that_is_no_part_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, step=np.array([Evil()], object))
    with pytest.raises(ValueError, match="allow_pickle"):
        film.read(Frame, path)
    np.savez(path, step=3)
    with pytest.raises(KeyError):
        film.read(Frame, path)
    np.savez_compressed(path, step=np.zeros(10**7, np.uint8))
    with pytest.raises(ValueError, match="10,000,"):
        film.read(Frame, path)
    path.write_bytes(b"garbage")
    with pytest.raises(zipfile.BadZipFile):
        film.read(Frame, path)
    with pytest.raises(FileNotFoundError):
        film.read(Frame, tmp_path / "none.npz")


def test_a_film_is_bounded_and_even_and_keeps_both_ends():
    kept = film.Film(max_frames=12, max_rows=40)
    for step in range(1000):
        kept.add(frame(step, moves=np.array([[step, 2.0]] if step % 100 == 0 else np.zeros((0, 2)))))
        steps = [f.step for f in kept.after(-1)]
        assert len(steps) <= 13 and steps[0] == 0 and steps[-1] == step
        assert step < 12 or len(steps) > 5
        assert len(set(np.diff(steps[:-1]))) <= 1
    assert [f.step for f in kept.after(steps[-2])] == [999] and kept.after(999) == []
    curve = kept.curve()
    assert 20 < len(curve.step) <= 41 and curve.step[-1] == 999 and curve.train.shape == curve.validation.shape
    np.testing.assert_array_equal(curve.train[:, 0], curve.step)
    assert curve.kl_per_dim.shape == (len(curve.step), 4)
    assert kept.moves == [(step, 2.0) for step in range(0, 1000, 100)]


def test_an_empty_film():
    curve = film.Film().curve()
    assert [len(part) for part in dataclasses.astuple(curve)] == [0] * 5
    assert curve.train.shape == (0, 3) and film.Film().after(-1) == []


def test_frames_of_another_training_are_refused():
    kept = film.Film()
    kept.add(frame(5))
    for other in (frame(4), frame(6, kl=np.zeros(3, np.float32)), frame(6, codes=np.zeros((8, 2), np.float32))):
        with pytest.raises(ValueError, match="another training"):
            kept.add(other)
    assert len(kept.after(-1)) == 1

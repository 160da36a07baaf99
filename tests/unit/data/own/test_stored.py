import json
import os
import pickle

import numpy as np
import pytest
import torch

from vae.data import own
from vae.data.base import MAX_VALIDATION, SPLITS
from vae.data.own.splits import TEST, TRAIN, VALIDATION, split_by_content

from .images import named, picture, zipped


@pytest.fixture
def folder(tmp_path):
    source = own.open_source([("a.zip", zipped(named()))])
    own.build(source, own.check(source, 28), tmp_path / "mine", "My *images*", 28)
    return tmp_path / "mine"


def test_a_data_set_is_read_as_it_was_built(folder):
    info = own.read(folder)
    assert (info.name, info.title, info.image_shape) == ("mine", "My *images*", (1, 28, 28))
    assert info.classes == ("a", "b") and info.factors is None and info.grid is None
    images, labels = np.load(folder / "images.npy"), np.load(folder / "labels.npy")
    seen = []
    for name in SPLITS:
        split = info.load(name)
        x, y = split.batch(range(len(split)))
        assert split.name == name and x.dtype == torch.float32 and x.shape[1:] == (1, 28, 28)
        rows = [int(np.flatnonzero((images == image).all((1, 2, 3)))[0]) for image in split.render(np.arange(len(x)))]
        np.testing.assert_array_equal(y, labels[rows])
        seen.append(set(rows))
    train, validation, test, both = seen
    assert train | validation == both and not test & both and not train & validation
    assert [len(rows) for rows in seen] == [96, 12, 12, 108] and len(both | test) == 120
    with pytest.raises(ValueError, match="unknown split"):
        info.load("other")


def test_the_first_images_of_a_split_are_of_all_classes(folder):
    labels = own.read(folder).load("train").first(30).labels
    assert set(labels) == {0, 1}  # the files come one class after the other


def test_a_split_is_pickled_without_its_images(folder):
    split = own.read(folder).load("train")
    content = pickle.dumps(split)
    assert len(content) < 10_000 < 96 * 28 * 28
    np.testing.assert_array_equal(pickle.loads(content).render(np.arange(9)), split.render(np.arange(9)))


def test_what_was_checked_is_built_once_and_can_be_built_again(tmp_path):
    source = own.open_source([("a.zip", zipped(named()))])
    check = own.check(source, 28)
    first = own.build(source, check, tmp_path / "one", "One", 28)
    assert not check.prepared.path.exists()
    again = own.build(source, check, tmp_path / "two", "Two", 28)
    other = own.build(source, check, tmp_path / "three", "Three", 64)
    np.testing.assert_array_equal(first.load("test").render(np.arange(12)), again.load("test").render(np.arange(12)))
    assert other.image_shape == (1, 64, 64)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "three", "two"]
    with pytest.raises(ValueError, match="exists already"):
        own.build(source, check, tmp_path / "one", "One", 28)
    few = own.open_source(named(3))
    with pytest.raises(ValueError, match="There are 3 images"):
        own.build(few, own.check(few, 28), tmp_path / "few", "Few", 28)


def test_nothing_is_left_of_a_build_that_fails(tmp_path, monkeypatch):
    source = own.open_source([("a.zip", zipped(named()))])
    check = own.check(source, 28)
    monkeypatch.setattr(np, "save", lambda *arguments: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        own.build(source, check, tmp_path / "mine", "Mine", 28)
    assert not list(tmp_path.iterdir())


def test_copies_are_in_one_split():
    random = np.random.default_rng(0)
    digests = random.integers(0, 2**64, 400, dtype=np.uint64)[random.integers(0, 400, 3000)]
    splits = split_by_content(digests)
    for digest in digests:
        assert len(set(splits[digests == digest])) == 1
    n = len(np.unique(digests))
    assert {s: len(np.unique(digests[splits == s])) for s in (VALIDATION, TEST)} == {
        VALIDATION: round(n / 10), TEST: round(n / 10),
    }  # fmt: skip


@pytest.mark.parametrize("n", [100, 101, 150, 1000, 200_000])
def test_splits_have_a_tenth_each_and_limits(n):
    digests = np.random.default_rng(1).integers(0, 2**64, n, dtype=np.uint64)
    counts = np.bincount(split_by_content(digests), minlength=3)
    assert counts.sum() == n
    assert counts[VALIDATION] == min(max(10, round(n / 10)), MAX_VALIDATION)
    assert counts[TEST] == min(max(10, round(n / 10)), 2 * MAX_VALIDATION)


def test_an_image_stays_in_its_split_when_a_few_are_added():
    digests = np.random.default_rng(2).integers(0, 2**64, 1050, dtype=np.uint64)
    before, after = split_by_content(digests[:1000]), split_by_content(digests)[:1000]
    assert (before != after).mean() < 0.02


def test_an_image_with_many_copies_is_for_training():
    digests = np.concatenate([np.arange(99), np.full(901, 7_000)]).astype(np.uint64)
    splits = split_by_content(digests)
    assert set(splits[99:]) == {TRAIN} and (splits == TEST).sum() == (splits == VALIDATION).sum() == 10


def _replaced(name, **changes):
    def damage(folder):
        content = json.loads((folder / name).read_text(encoding="utf-8"))
        for key, value in changes.items():
            content.pop(key) if value is None else content.update({key: value})
        (folder / name).write_text(json.dumps(content), encoding="utf-8")

    return damage


def _array(name, values):
    return lambda folder: np.save(folder / name, values, allow_pickle=True)


DAMAGES = {
    "no description": lambda folder: (folder / "data.json").unlink(),
    "no json": lambda folder: (folder / "data.json").write_bytes(b"\xff{"),
    "deep json": lambda folder: (folder / "data.json").write_text("[" * 10**5, encoding="utf-8"),
    "large json": lambda folder: (folder / "data.json").write_text(" " * 2**21, encoding="utf-8"),
    "a list": lambda folder: (folder / "data.json").write_text("[]", encoding="utf-8"),
    "format": _replaced("data.json", format=2),
    "no title": _replaced("data.json", title=None),
    "a title of markup": _replaced("data.json", title=["x"]),
    "long title": _replaced("data.json", title="x" * 1000),
    "no classes": _replaced("data.json", classes=[]),
    "equal classes": _replaced("data.json", classes=["a", "a"]),
    "classes are numbers": _replaced("data.json", classes=[1, 2]),
    "one class": _replaced("data.json", classes=["a"]),
    "large images": _replaced("data.json", image_shape=[1, 5000, 5000]),
    "shape": _replaced("data.json", image_shape=[1, 28]),
    "shape of text": _replaced("data.json", image_shape=["1", 28, 28]),
    "channels": _replaced("data.json", image_shape=[3, 28, 28]),
    "count": _replaced("data.json", images=10**9),
    "negative count": _replaced("data.json", images=-1),
    "true": _replaced("data.json", images=True),
    "factors without a table": _replaced("data.json", factors={"names": ["x"], "values": [["1", "2"]]}),
    "factors of nothing": _replaced("data.json", factors=[]),
    "factors and values": _replaced("data.json", factors={"names": ["x", "y"], "values": [["1", "2"]]}),
    "no images": lambda folder: (folder / "images.npy").unlink(),
    "cut images": lambda folder: os.truncate(folder / "images.npy", 5000),
    "an empty file": lambda folder: os.truncate(folder / "images.npy", 0),
    "other images": _array("images.npy", np.zeros((120, 1, 28, 28), np.float32)),
    "columns first": _array("images.npy", np.asfortranarray(np.zeros((120, 1, 28, 28), np.uint8))),
    "objects": _array("images.npy", np.array([object()] * 120)),
    "labels of objects": _array("labels.npy", np.array([{}] * 120)),
    "labels": _array("labels.npy", np.full(120, 2, np.int32)),
    "negative labels": _array("labels.npy", np.full(120, -1, np.int32)),
    "labels are numbers": _array("labels.npy", np.zeros(120)),
    "fewer labels": _array("labels.npy", np.zeros(119, np.int32)),
    "splits": _array("splits.npy", np.full(120, 3, np.uint8)),
    "no test images": _array("splits.npy", np.arange(120, dtype=np.uint8) % 2),
    "not an array": lambda folder: (folder / "labels.npy").write_bytes(b"\x93NUMPY\x01\x00"),
    "a pickle": lambda folder: (folder / "labels.npy").write_bytes(pickle.dumps([1])),
    "a name": lambda folder: folder.rename(folder.with_name("My Images")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_gets_a_sentence(folder, damage):
    DAMAGES[damage](folder)
    folder = folder if folder.exists() else folder.with_name("My Images")
    with pytest.raises(ValueError) as error:
        own.read(folder)
    assert 20 < len(str(error.value)) < 400 and "\n" not in str(error.value)


def test_files_of_a_size_that_cannot_be_are_not_read_into_memory(folder):
    header = {"descr": "|u1", "fortran_order": False, "shape": (120, 1, 28, 28 * 10**9)}
    with (folder / "images.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(ValueError, match="images.npy"):
        own.read(folder)


def test_many_sources_have_no_classes(tmp_path):
    source = own.open_source([(f"{i}.png", picture(i)) for i in range(100)], title="<i>x</i>")
    info = own.build(source, own.check(source, 28), tmp_path / "x", source.title, 28)
    assert info.classes == ("all images",) and set(info.load("train").labels) == {0} and info.title == "ix/i"

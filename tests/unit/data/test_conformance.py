"""What every registered data set promises to pages and evaluation; a new one is tested by being there."""

import functools

import numpy as np
import pytest
import torch
from PIL import Image

from vae import folders
from vae.data import DATASETS, idx
from vae.data.base import SPLITS, validation_size
from vae.data.described import described
from vae.data.ink import MAX_OBJECTS

ALL = [pytest.param(info, id=name) for name, info in DATASETS.items()]


@functools.cache
def test_images(name):
    return DATASETS[name].load("test", download=False)


test_images.__test__ = False


@pytest.mark.parametrize("info", ALL)
def test_the_description_is_whole(info):
    assert DATASETS[info.name] is info
    assert all((info.title, info.noun, info.licence, info.source)) and len(set(info.classes)) == len(info.classes)
    channels, height, width = info.image_shape
    assert channels in (1, 3) and height > 0 < width
    assert info.crisp == (height < 64)
    assert set(info.shipped) <= {*SPLITS, *idx.SHIPPED}
    assert info.grid is not None or not info.attributes
    for k, values in info.attribute_values().values():
        assert 0 < len(values) < info.grid.sizes[k]  # some have it and some do not


@pytest.mark.parametrize("info", ALL)
def test_test_images_come_with_the_project(info, monkeypatch, tmp_path):
    monkeypatch.setenv("VAE_DATA", str(tmp_path))  # nothing to read there
    for name in {"test", *info.shipped}:
        _check(info, info.load(name, download=False), name)
    split = test_images(info.name)
    assert 0 <= info.start < len(split)
    assert info.grid is not None or len(np.unique(split.labels)) == len(info.classes)
    assert ((split.factors is None), split.grid) == ((info.grid is None), info.grid)


@pytest.mark.parametrize("info", [info for info in DATASETS.values() if info.offline], ids=lambda info: info.name)
def test_training_needs_no_download(info, monkeypatch, tmp_path):
    monkeypatch.setenv("VAE_DATA", str(tmp_path))
    train, validation = (info.load(name, download=False) for name in info.offline)
    _check(info, train, info.offline[0])
    _check(info, validation, info.offline[1])
    assert len(train) >= 1300 and len(validation) >= 100


@pytest.mark.parametrize("info", ALL)
def test_other_splits_load_where_their_files_are(info, monkeypatch):
    missing = [file for file in info.raw_files if not (folders.data() / file).exists()]
    if missing:
        pytest.skip(f"{folders.data()} has no {missing[0]}")
    monkeypatch.setattr("pooch.retrieve", lambda *arguments, **options: pytest.fail("a download"))
    train, validation = info.load("train"), info.load("validation")
    for name, split in (("train", train), ("validation", validation)):
        _check(info, split, name)
    n = len(train) + len(validation)
    assert len(train) > len(validation) > 0
    if info.by_style is None:  # a style is whole in one split
        assert len(validation) == validation_size(n)


def _check(info, split, name):
    rows = np.linspace(0, len(split) - 1, 24).astype(int)
    x, y = split.batch(rows)
    assert split.name == name
    assert x.shape == (24, *info.image_shape) and x.dtype == torch.float32 and y.dtype == torch.int64
    assert 0 <= x.min() < x.max() <= 1 and 0 <= split.labels.min() <= split.labels.max() < len(info.classes)
    assert split.render(rows).dtype == np.uint8
    if info.binary and name in ("test", *info.offline[1:]):
        assert set(x.unique().tolist()) == {0.0, 1.0}
        assert info.quantise(x).equal(x)
    if split.factors is not None:
        assert (split.factors >= 0).all() and (split.factors < split.grid.sizes).all()


@pytest.mark.parametrize("info", ALL)
def test_batches_are_the_images_in_their_order(info):
    with pytest.raises(ValueError, match="no first -5 images"):
        test_images(info.name).first(-5)
    split = test_images(info.name).first(103)
    x, y = split.batch(range(103))
    for size in (40, 103, 500):
        xs, ys = zip(*split.batches(size), strict=False)
        assert [len(part) for part in xs] == [size] * (103 // size) + [103 % size] * (103 % size > 0)
        assert torch.cat(xs).equal(x) and torch.cat(ys).equal(y)
    rows = np.array([5, 3, 99])
    assert torch.cat([part for part, _ in split.batches(2, rows)]).equal(x[rows])
    assert torch.cat([part for part, _ in split.batches(rows=range(7))]).equal(x[:7])
    assert list(split.batches(rows=range(0))) == []


@pytest.mark.parametrize("info", ALL)
def test_a_picture_is_what_was_rendered(info):
    split = test_images(info.name)
    pixels = info.modality.picture(split.batch(range(5))[0])
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, split.render(np.arange(5)).transpose(0, 2, 3, 1))
    x = torch.full((1, *info.image_shape), torch.nan)
    assert (info.modality.picture(x) == 128).all() and (info.modality.picture(x.nan_to_num(7)) == 255).all()


@pytest.mark.parametrize("info", ALL)
def test_any_picture_becomes_one_of_this_data(info):
    for mode, size in (("RGB", (90, 50)), ("L", (7, 300)), ("RGBA", (64, 64)), ("1", (1, 1)), ("P", (40, 40))):
        drawing = Image.new("RGB", size, "white")
        drawing.paste((20, 60, 90), (size[0] // 2, size[1] // 4, size[0] // 2 + 5, size[1] // 2 + 1))
        _check_prepared(info, info.prepare(drawing.convert(mode)))
        _check_prepared(info, info.prepare(drawing.convert(mode), invert=False, plain=True))


def _check_prepared(info, found):
    assert found.x.shape == (1, *info.image_shape) and found.x.dtype == torch.float32
    assert 0 <= found.x.min() <= found.x.max() <= 1
    assert info.quantise(found.x).equal(found.x)
    assert len(found.stages) >= 2 and all(title and picture.size for title, picture in found.stages)
    last = np.asarray(found.stages[-1].picture).reshape(info.modality.picture(found.x)[0].shape)
    np.testing.assert_array_equal(info.modality.picture(found.x)[0], last)
    assert len(found.candidates) <= MAX_OBJECTS
    assert all(other.x.shape == found.x.shape for other in found.candidates)
    assert not found.candidates or found.candidates[0].x.equal(found.x)


@pytest.mark.parametrize("info", ALL)
def test_an_image_of_its_own_is_taken_as_it_is(info):
    """Unless its border is light where the data is light on dark: a few garments fill their picture."""
    split = test_images(info.name)
    x, _ = split.batch([info.start])
    pixels = info.modality.picture(x)[0]
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    found = info.prepare(image, invert=False)
    assert not found.candidates and found.x.equal(x)
    guessed = info.prepare(image)
    assert guessed.x.equal(x) or guessed.inverted


@pytest.mark.parametrize("info", ALL)
def test_partners_are_registered_and_of_one_shape(info):
    for name in info.out_of_distribution:
        partner = DATASETS[name]
        assert partner is not info and partner.image_shape == info.image_shape
        assert len(test_images(name)) >= len(test_images(info.name))


@pytest.mark.parametrize("info", [info for info in DATASETS.values() if info.by_style], ids=lambda info: info.name)
def test_a_style_is_in_every_class(info):
    numbers, x = info.by_style("test")
    assert x.shape == (len(numbers), len(info.classes), *info.image_shape) and len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("info", [info for info in DATASETS.values() if info.shipped], ids=lambda info: info.name)
def test_a_gallery_written_again_is_the_one_that_ships(info):
    from vae.data.idx import GALLERIES, gallery_file

    for split in info.shipped:
        with np.load(GALLERIES / gallery_file(info.name, split), allow_pickle=False) as file:
            arrays = info.gallery(split)
            assert set(file.files) == set(arrays)
            for key in file.files:
                np.testing.assert_array_equal(arrays[key], file[key])
                assert arrays[key].dtype == file[key].dtype


@pytest.mark.parametrize("light", [True, False])
def test_a_card_from_before_data_sets_had_a_preparation_is_read(light):
    old = {"title": "Stripes", "classes": ["a", "b"], "white_on_black": light, "centred": True}
    found = described("stripes", (1, 8, 8), old, [])
    assert found.preparation.light_on_dark is light and found.preparation.kind == "photo"

"""Images, labels and factors from a notebook: what is converted, and what is refused with a sentence."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vae.data import in_memory

N, SIDE = 6, 8
LEVELS = np.random.default_rng(0).integers(0, 256, (N, 3, SIDE, SIDE), np.uint8)
LEVELS[0, 0, 0, :2] = 0, 255
X = torch.from_numpy(LEVELS).float() / 255
GREY = LEVELS[:, :1]


@pytest.mark.parametrize(
    "images, expected, note",
    [
        (X, X, ""),
        (X.half(), X.half().float(), ""),
        (X.bfloat16(), X.bfloat16().float(), ""),
        (X.double().numpy(), X, "float64"),
        (LEVELS, X, "type uint8 are divided by 255"),
        (torch.from_numpy(LEVELS).int(), X, "divided by 255"),
        (LEVELS.astype(np.float32), X, "[0, 255] are divided by 255"),
        (2 * X - 1, X, "[-1, 1]"),
        (LEVELS.transpose(0, 2, 3, 1), X, "(N, H, W, C)"),
        (GREY[:, 0], X[:, :1], "(N, H, W)"),
        ((GREY[:, 0] > 100), torch.from_numpy(GREY > 100).float(), "one grey channel"),
        ([Image.fromarray(image.transpose(1, 2, 0)) for image in LEVELS], X, "(N, H, W, C)"),
        ([Image.fromarray(image[0]) for image in GREY], X[:, :1], "one grey channel"),
        (list(X), X, ""),
        ([image.numpy() for image in X], X, ""),
    ],
)  # fmt: skip
def test_images_are_converted_and_the_conversion_is_said(images, expected, note):
    found = in_memory.as_images(images)
    assert found.x.dtype == torch.float32 and found.x.is_contiguous()
    torch.testing.assert_close(found.x, expected, atol=1e-6, rtol=0)
    assert note in " ".join(found.notes) and bool(note) == bool(found.notes)
    assert found.signed == ("[-1, 1]" in note)


@pytest.mark.parametrize(
    "images, sentence",
    [
        (3 * X, "must lie in [0, 1], [-1, 1] or [0, 255], not from 0 to 3"),
        (300 * X, "not from 0 to 300"),
        (X - 5, "not from -5 to -4"),
        (X / 0, "finite numbers, but some are NaN"),
        (X[:0], "must have shape (N, C, H, W)"),
        (X[0, 0], "must have shape (N, C, H, W)"),
        (torch.rand(2, 4, 8, 8), "with 1 or 3 channels, in [0, 1], [-1, 1] or [0, 255], not (2, 4, 8, 8)"),
        (np.zeros((1, 1, 600, 4)), "up to 512 x 512 pixels, not 600 x 4"),
        (torch.zeros(2, 1, 4, 4, dtype=torch.complex64), "must hold numbers, not complex64"),
        (np.array([["a"]]), "must hold numbers"),
        ([], "a list of images, not list"),
        ("images/", "a list of images, not str"),
        (None, "a list of images, not NoneType"),
        ([X[0], X[0, :, :4]], "must all have the same shape"),
    ],
)
def test_images_without_one_meaning_are_refused(images, sentence):
    with pytest.raises(ValueError) as refused:
        in_memory.as_images(images)
    assert sentence in str(refused.value)


@given(st.lists(st.integers(-3, 300), min_size=2, max_size=2), st.sampled_from(["f4", "f8", "u1", "i4"]))
def test_what_is_accepted_is_in_range(ends, dtype):
    values = np.array(ends).clip(0, 255).astype(dtype) if dtype == "u1" else np.array(ends).astype(dtype)
    try:
        found = in_memory.as_images(np.resize(values, (1, 1, 2, 2)))
    except ValueError:
        return
    assert found.x.shape == (1, 1, 2, 2) and 0 <= found.x.min() <= found.x.max() <= 1


def test_labels_and_factors_become_a_data_set():
    images = in_memory.as_images(X)
    angle = np.linspace(0, 1, N)
    info, notes = in_memory.dataset(images, list("abcabc"), {"shape": list("xyxyxy"), "angle": angle})
    split = info.load("test")
    assert info.classes == ("a", "b", "c") and split.labels.tolist() == [0, 1, 2, 0, 1, 2] and not notes
    assert info.factors.names == ("shape", "angle") and info.factors.sizes == (2, N)
    assert split.factors[:, 0].tolist() == [0, 1, 0, 1, 0, 1]
    torch.testing.assert_close(split.batch(range(N))[0], X)
    with pytest.raises(OSError, match="no train split"):
        info.load("train")


def test_a_factor_with_many_values_is_binned_and_that_is_said():
    images = in_memory.as_images(np.zeros((100, 4, 4), np.uint8))
    values = np.random.default_rng(0).random(100)
    info, notes = in_memory.dataset(images, factors=values)
    assert info.factors.sizes[0] <= in_memory.BINS and "20 bins of equal width" in notes[0]
    table, indices = info.factors, info.load("test").factors[:, 0]
    middles = np.array([float(name) for name in table.values[0]])[indices]
    assert np.abs(middles - values).max() <= 0.6 / in_memory.BINS  # labels are rounded to 4 digits


def test_the_same_images_are_the_same_data_set_and_others_are_not():
    one, two = (in_memory.dataset(in_memory.as_images(x))[0].name for x in (X, X))
    assert one == two != in_memory.dataset(in_memory.as_images(1 - X))[0].name
    assert one != in_memory.dataset(in_memory.as_images(X), list("abcabc"))[0].name


def test_text_of_a_data_frame_has_the_type_object():
    info, _ = in_memory.dataset(in_memory.as_images(X), np.array(["b", "a"] * (N // 2), object))
    assert info.classes == ("a", "b") and info.load("test").labels.tolist() == [1, 0] * (N // 2)


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        ([(x, 0) for x in X], "images must be a list without labels"),
        ([[[0, 1], [1]]] * N, "rows of one length"),
        (torch.utils.data.TensorDataset(X), "of a torch Dataset, pass torch.stack"),
    ],
)
def test_images_with_labels_are_refused_with_what_to_pass(images, sentence):
    with pytest.raises(ValueError, match=sentence):
        in_memory.as_images(images)


@pytest.mark.parametrize(
    "labels, factors, sentence",
    [
        ([1, 2], None, "labels must have 6 values, one for each image, not shape (2,)"),
        ([[1]] * N, None, "labels must have 6 values"),
        ([None] * N, None, "labels must hold numbers or text"),
        ([float("nan")] * N, None, "labels must hold numbers or text, without NaN"),
        (None, {"size": [1]}, "the factor size must have 6 values"),
        (None, np.zeros((N, 2, 2)), "factors must have shape (N, K), not (6, 2, 2)"),
        (None, {}, "1 to 64 factors, not 0"),
        (None, np.zeros((N, 65)), "1 to 64 factors, not 65"),
    ],
)
def test_labels_and_factors_that_do_not_fit_are_refused(labels, factors, sentence):
    with pytest.raises(ValueError) as refused:
        in_memory.dataset(in_memory.as_images(X), labels, factors)
    assert sentence in str(refused.value)

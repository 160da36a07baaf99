import numpy as np
import pytest
from PIL import Image

from vae import uploads


def drawing():
    """A dark stroke on white paper, off centre, in a wide picture."""
    image = Image.new("RGB", (200, 100), "white")
    image.paste("black", (140, 20, 150, 80))
    return image


def test_prepare_crops_resizes_and_inverts():
    prepared = uploads.prepare(drawing(), (1, 28, 28), white_on_black=True)
    assert prepared.x.shape == (1, 1, 28, 28) and prepared.inverted
    assert prepared.x.min() >= 0 and prepared.x.max() <= 1
    # the middle square is columns 50 to 150, so that the stroke ends at the right border
    assert prepared.x[0, 0, 14, 0] == 0 and prepared.x[0, 0, 14, 26] == 1
    plain = uploads.prepare(drawing(), (1, 28, 28), white_on_black=True, invert=False)
    assert plain.x[0, 0, 14, 0] == 1 and not plain.inverted


def test_stages_lead_from_the_picture_to_what_the_model_sees():
    prepared = uploads.prepare(drawing(), (1, 28, 28), white_on_black=True, centre=True, binary=True)
    titles, pictures = zip(*prepared.stages, strict=False)
    assert titles == ("as it came", "light and dark swapped", "centred", "black or white")
    assert pictures[0].size == pictures[1].size == (200, 100) and pictures[2].size == (28, 28)
    np.testing.assert_array_equal(np.asarray(pictures[-1]) / 255, prepared.x[0, 0])
    assert set(prepared.x.unique().tolist()) == {0.0, 1.0}


def test_candidates_are_the_other_ways_to_take_a_picture():
    prepared = uploads.prepare(drawing(), (1, 28, 28), white_on_black=True)
    assert [(c.inverted, c.centred) for c in prepared.candidates] == [(True, False), (False, False), (False, True),
        (True, True)]
    for candidate in prepared.candidates:
        expected = uploads.prepare(drawing(), (1, 28, 28), True, candidate.inverted, candidate.centred)
        assert candidate.x.equal(expected.x)


def test_pictures_of_any_mode():
    grey = drawing().convert("L")
    images = [*(grey.convert(mode) for mode in ("L", "1", "P", "LA", "I;16")),
        *(drawing().convert(mode) for mode in ("RGBA", "CMYK"))]
    for image in images:
        for shape in ((1, 28, 28), (3, 64, 64)):
            x = uploads.prepare(image, shape).x
            assert x.shape == (1, *shape) and x.min() < 0.1 and x.max() > 0.9, image.mode


def test_a_picture_on_black_is_not_inverted():
    image = Image.new("RGB", (50, 50), "black")
    assert not uploads.prepare(image, (1, 28, 28), white_on_black=True).inverted
    white = Image.new("RGB", (50, 50), "white")
    assert not uploads.prepare(white, (1, 28, 28), white_on_black=False).inverted


def test_centre_puts_the_mass_in_the_middle_at_mnist_size():
    x = uploads.prepare(drawing(), (1, 28, 28), white_on_black=True, centre=True).x[0, 0].numpy()
    rows, columns = np.nonzero(x > 0.5)
    assert rows.max() - rows.min() + 1 == 20
    assert rows.mean() == pytest.approx(13.5, abs=1) and columns.mean() == pytest.approx(13.5, abs=1)


def test_centre_of_an_empty_page_is_an_empty_page():
    x = uploads.prepare(Image.new("RGB", (60, 40), "white"), (1, 28, 28), True, centre=True).x
    assert x.max() == 0


def test_colour_models_get_colour():
    x = uploads.prepare(Image.new("RGB", (70, 64), (255, 0, 51)), (3, 64, 64)).x
    assert x.shape == (1, 3, 64, 64)
    np.testing.assert_allclose(x[0, :, 5, 5], [1, 0, 0.2], atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_odd_shapes(size):
    x = uploads.prepare(Image.new("RGB", size, "white"), (1, 28, 28), True, centre=True).x
    assert x.shape == (1, 1, 28, 28)

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vae import uploads


def encoded(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


PLAIN = Image.fromarray(np.arange(30 * 40 * 3, dtype=np.uint32).reshape(30, 40, 3).astype(np.uint8))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_formats(format):
    image = uploads.read_image(encoded(PLAIN, format))
    assert image.mode == "RGB" and image.size == (40, 30)


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "empty"),
        (b"hello, I am no image", "not a PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a PNG"),
        (encoded(PLAIN, "BMP"), "not a PNG"),
        (encoded(PLAIN)[:200], "damaged or cut off"),
        (encoded(PLAIN, "JPEG")[:400], "damaged or cut off"),
        (encoded(Image.new("1", (2001, 2000))), "megapixels"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "damaged"),
        (b"x" * (uploads.MAX_BYTES + 1), "larger than"),
    ],
)
def test_bad_files_get_a_sentence(content, sentence):
    with pytest.raises(uploads.UploadError, match=sentence) as caught:
        uploads.read_image(content)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    for side in (2001, 9000, 20_000, 60_000):  # the header alone promises the size
        with pytest.raises(uploads.UploadError, match="more than 4 megapixels"):
            uploads.read_image(encoded_header(side, side))


def encoded_header(width, height):
    import struct
    import zlib

    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 100)
    parts = b"".join(
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (chunk, data)
    )
    return b"\x89PNG\r\n\x1a\n" + parts


def test_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for format in ("GIF", "WEBP", "PNG"):
        content = encoded(frames[0], format, save_all=True, append_images=frames[1:], **(
            {"lossless": True} if format == "WEBP" else {}))  # fmt: skip
        assert uploads.read_image(content).getpixel((4, 4)) == (255, 0, 0)


def test_cmyk():
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # red ink
    red, green, blue = uploads.read_image(encoded(cmyk, "JPEG")).getpixel((8, 8))
    assert red > 200 and green < 60 and blue < 60


def test_sixteen_bit_is_scaled_not_clipped():
    grey = Image.fromarray(np.full((8, 8), 0x8000, np.uint16))
    assert uploads.read_image(encoded(grey)).getpixel((4, 4)) == (128, 128, 128)


def test_alpha_lies_on_white():
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.putpixel((3, 3), (0, 0, 0, 255))
    flat = uploads.read_image(encoded(image))
    assert flat.getpixel((0, 0)) == (255, 255, 255) and flat.getpixel((3, 3)) == (0, 0, 0)


def test_palette_with_transparency():
    image = Image.new("P", (8, 8), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    flat = uploads.read_image(encoded(image, transparency=0))
    assert flat.getpixel((0, 0)) == (255, 255, 255)


def test_exif_rotation():
    image = Image.new("RGB", (40, 20), "white")
    image.paste("black", (0, 0, 20, 20))  # the left half
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    upright = uploads.read_image(encoded(image, "JPEG", exif=exif))
    assert upright.size == (20, 40)
    assert upright.getpixel((10, 5))[0] < 50 and upright.getpixel((10, 35))[0] > 200


@given(st.binary(max_size=300))
def test_any_bytes_give_an_image_or_a_sentence(content):
    for prefix in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\x10\0\0\0WEBP"):
        try:
            assert uploads.read_image(prefix + content).mode == "RGB"
        except uploads.UploadError:
            pass


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

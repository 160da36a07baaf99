"""read_image: from the bytes of a file to an upright RGB image, or one sentence."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tests.benchmarks.memory_of_files import KINDS, cost
from vae import uploads
from vae.data import formats
from vae.data.area import area_average
from vae.data.images import MAX_MEGAPIXELS, as_rgb

from .files import GREY, GREY_ALPHA, RGB, RGBA, encoded, noise, png, png_chunk, promise

PLAIN = Image.fromarray(np.arange(30 * 40 * 3, dtype=np.uint32).reshape(30, 40, 3).astype(np.uint8))
RED = Image.new("RGB", (8, 8), "red")


def read(content):
    """Read a file that can be used."""
    image = uploads.read_image(content)
    assert image.mode == "RGB" and max(image.size) <= 1024
    return image


def sentence(content):
    """The one sentence on a file that is refused."""
    with pytest.raises(uploads.UploadError) as caught:
        uploads.read_image(content)
    text = str(caught.value)
    assert text.endswith(".") and text.count(". ") == 0 and "\n" not in text and len(text.split()) <= 25
    return text


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "MPO"])
def test_formats(format):
    assert read(encoded(PLAIN, format)).size == (40, 30)


def animated(frames, format):
    return encoded(frames[0], format, save_all=True, append_images=frames[1:])


EXIF = Image.Exif()
EXIF[0x0112] = 6
USABLE = {
    "interlaced": (png(noise(30, 40), RGB, interlaced=True), (40, 30)),
    "interlaced, 1x1": (png(noise(1, 1), RGB, interlaced=True), (1, 1)),
    "16 bits a colour": (png(noise(30, 40, 3, 65536), RGB), (40, 30)),
    "16 bits with alpha": (png(noise(30, 40, 4, 65536), RGBA, interlaced=True), (40, 30)),
    "16-bit grey": (png(noise(30, 40, 1, 65536), GREY), (40, 30)),
    "16-bit grey with alpha": (png(noise(30, 40, 2, 65536), GREY_ALPHA), (40, 30)),
    "16-bit colour with a transparent one": (
        png(noise(30, 40, 3, 65536), RGB, chunks=[png_chunk(b"tRNS", b"\x12\x34" * 3)]), (40, 30)),
    "black or white": (encoded(PLAIN.convert("1")), (40, 30)),
    "black or white, white transparent": (encoded(PLAIN.convert("1"), transparency=1), (40, 30)),
    "palette": (encoded(PLAIN.quantize(9)), (40, 30)),
    "palette with several transparent colours": (
        encoded(PLAIN.quantize(9), transparency=bytes([0, 99, 255])), (40, 30)),
    "LA": (encoded(PLAIN.convert("LA")), (40, 30)),
    "grey JPEG": (encoded(PLAIN.convert("L"), "JPEG"), (40, 30)),
    "CMYK": (encoded(PLAIN.convert("CMYK"), "JPEG"), (40, 30)),
    "progressive CMYK": (encoded(PLAIN.convert("CMYK"), "JPEG", progressive=True), (40, 30)),
    "progressive": (encoded(PLAIN, "JPEG", progressive=True, subsampling=0), (40, 30)),
    "lossless WebP with alpha": (encoded(PLAIN.convert("RGBA"), "WEBP", lossless=True), (40, 30)),
    "two photos in one file": (animated([PLAIN, PLAIN.rotate(90)], "MPO"), (40, 30)),
    "upright by EXIF": (encoded(PLAIN, "JPEG", exif=EXIF), (30, 40)),
    "upright by EXIF, PNG": (encoded(PLAIN, exif=EXIF), (30, 40)),
    "upright by EXIF, WebP": (encoded(PLAIN, "WEBP", exif=EXIF), (30, 40)),
    "a broken EXIF block": (encoded(PLAIN, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"), (40, 30)),
    **{f"{w} x {h} {format}": (encoded(Image.new("L", (w, h)), format), (min(w, 1024), min(h, 1024)))
       for format in ("PNG", "JPEG", "WEBP", "GIF") for w, h in ((1, 1), (10_000, 1), (1, 10_000))},
    "a phone's photo": (encoded(Image.new("L", (4032, 3024)), "JPEG"), (1024, 768)),
    "a scan at 300 dpi": (encoded(Image.new("1", (2480, 3508))), (724, 1024)),
    "a screenshot": (encoded(Image.new("RGB", (2880, 1800))), (1024, 640)),
}  # fmt: skip


@pytest.mark.parametrize("name", USABLE)
def test_usable_files(name):
    content, size = USABLE[name]
    assert read(content).size == size


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "x")
    return buffer.getvalue()


def box(brands):
    return (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + bytes(40)


OTHERS = [
    (b"hello, I am no image", "This is text, not a PNG, JPEG, WebP or GIF image; choose an image."),
    ("größer".encode(), "text"), (b"\xef\xbb\xbfid,name\r\n1,a\r\n", "text"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
    (b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg width='9'>", "an SVG drawing"),
    (b"\n<!DOCTYPE html>\n<p>404", "a web page"),
    (encoded(PLAIN, "BMP"), "a BMP image"), (encoded(PLAIN, "TIFF"), "a TIFF image"),
    (encoded(PLAIN, "TIFF", big_tiff=True), "a TIFF image"), (encoded(PLAIN, "PDF"), "a PDF"),
    (encoded(PLAIN, "AVIF"), "an AVIF image"), (encoded(PLAIN, "JPEG2000"), "a JPEG 2000 image"),
    (encoded(PLAIN, "ICO"), "an icon"), (encoded(PLAIN, "EPS"), "a PostScript file"),
    (b"8BPS\0\1" + bytes(20), "a Photoshop file"), (b"\xff\x0a\xfa\x1f\x01" + bytes(9), "a JPEG XL image"),
    (box(b"heic\0\0\0\0mif1heic"), "a HEIC photo, not a PNG, JPEG, WebP or GIF image; export it as JPEG"),
    (box(b"mif1\0\0\0\0mif1heix"), "a HEIC photo"), (box(b"mif1\0\0\0\0avifmif1"), "an AVIF image"),
    (box(b"qt  \0\0\0\0qt  "), "a video"), (zipped(), "a zip or an office document"),
    (b"\0\1\2\3\xff" * 20, "not a PNG, JPEG, WebP or GIF image, or it is damaged"),
    (encoded(PLAIN, "PPM"), "not a PNG"),
]  # fmt: skip


@pytest.mark.parametrize("content, expected", OTHERS, ids=[f"{i}: {case[1][:24]}" for i, case in enumerate(OTHERS)])
def test_other_formats_are_named_with_what_to_do(content, expected):
    assert expected in sentence(content)


def test_damaged_empty_and_large_files_get_a_sentence():
    assert "empty" in sentence(b"")
    assert "larger than 25 MB" in sentence(bytes(uploads.MAX_BYTES + 1))
    for content in (encoded(PLAIN)[:200], encoded(PLAIN, "JPEG")[:400], encoded(PLAIN, "WEBP")[:60],
                    encoded(PLAIN, "GIF")[:200], b"\x89PNG\r\n\x1a\n" + bytes(50)):  # fmt: skip
        assert "damaged or cut off" in sentence(content)


@pytest.mark.parametrize(
    "content, kind",
    [
        (promise("PNG", 4000, 3751), "PNG"),
        (promise("PNG", 60_000, 60_000), "PNG"),
        (promise("GIF", 6000, 5001), "GIF"),
        (promise("GIF", 65_535, 65_535), "GIF"),
        (promise("JPEG", 10_000, 5001), "JPEG"),
        (promise("JPEG", 65_500, 65_500), "JPEG"),
        (promise("WEBP", 4000, 2001), "WebP"),
        (promise("WEBP", 16_383, 16_383), "WebP"),
        (encoded(Image.new("RGB", (4000, 1501)), "WEBP", lossless=True), "WebP with transparency or without loss"),
        (encoded(Image.new("L", (5000, 4001)), "JPEG", progressive=True), "progressive JPEG"),
        (encoded(Image.new("CMYK", (5000, 3001)), "JPEG", progressive=True), "progressive CMYK JPEG"),
    ],
)
def test_too_many_pixels_are_refused_before_they_are_decoded(content, kind, monkeypatch):
    def refuse(*_):
        pytest.fail("decoded")

    monkeypatch.setattr(Image.Image, "load", refuse)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    assert sentence(content).startswith(f"This {kind} has more than {MAX_MEGAPIXELS[kind]} megapixels; make it")


def test_a_jpeg_of_thousands_of_passes_is_refused():
    content = encoded(Image.new("RGB", (64, 64)), "JPEG", progressive=True)
    scan = content.rindex(b"\xff\xda")
    assert formats.jpeg_scans(content) == (content.count(b"\xff\xda"), True)
    assert "too many parts" in sentence(content[:scan] + 200 * content[scan:-2] + b"\xff\xd9")
    assert "too many parts" in sentence(content[:-2] + 2000 * b"\xff\xfe\0\2" + b"\xff\xd9")


def test_a_jpeg_whose_colours_follow_one_another_counts_as_progressive():
    """Its decoder too holds all coefficients until the last scan."""
    content = bytearray(encoded(PLAIN, "JPEG"))
    assert formats.jpeg_scans(bytes(content)) == (1, False)
    content[content.index(b"\xff\xda") + 4] = 1  # components of the first scan
    assert formats.jpeg_scans(bytes(content)) == (1, True)


def test_a_picture_is_reduced_by_area_averaging():
    values = noise(1500, 2100)
    expected = area_average(values, (1024, 731))
    np.testing.assert_allclose(np.asarray(read(encoded(Image.fromarray(values)))), expected, atol=0.501)


def test_a_large_jpeg_is_close_to_its_pixels_at_every_scale():
    for width in (1500, 2100, 4100, 8200):
        part = Image.fromarray(noise(3, 20)).resize((width, width // 8), Image.Resampling.BICUBIC)
        expected = area_average(np.asarray(part), (1024, 128))
        found = np.asarray(read(encoded(part, "JPEG", quality=95))).astype(float)
        assert found.shape == expected.shape and np.abs(found - expected).mean() < 2, width


def test_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for format in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if format == "WEBP" else {}
        content = encoded(frames[0], format, save_all=True, append_images=frames[1:], **options)
        assert read(content).getpixel((4, 4)) == (255, 0, 0)


def test_cmyk():
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # red ink
    red, green, blue = read(encoded(cmyk, "JPEG")).getpixel((8, 8))
    assert red > 200 and green < 60 and blue < 60


def test_sixteen_bits_are_scaled_not_clipped():
    for colour, channels in ((GREY, 1), (RGB, 3)):
        content = png(np.full((8, 8, channels), 0x8000, np.uint16), colour)
        assert read(content).getpixel((4, 4)) == (128, 128, 128)
    values = np.array([[[0], [0xFFFF], [0x1234]]], np.uint16)
    transparent = png(values, GREY, chunks=[png_chunk(b"tRNS", b"\x12\x34")])
    # two of three pixels are opaque and are the ink, of grey 127.5: the ground becomes white
    assert read(transparent).getpixel((2, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    "mode, format", [("RGBA", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("P", "GIF"), ("RGBA", "WEBP")]
)
@pytest.mark.parametrize("ink, ground", [(0, 255), (60, 255), (255, 0), (200, 0)])
def test_transparency_becomes_what_the_ink_needs(mode, format, ink, ground):
    """What is hidden has a tone of its own, which must not be seen."""
    if mode == "P":
        image = Image.new("P", (40, 40), 1)
        image.putpalette([ink] * 3 + [ink ^ 200] * 3)
        ImageDraw.Draw(image).line([(5, 5), (35, 35)], 0, 5)
        content = encoded(image, format, transparency=1)
    else:
        image = Image.new("LA", (40, 40), (ink ^ 200, 0))
        ImageDraw.Draw(image).line([(5, 5), (35, 35)], (ink, 255), 5)
        content = encoded(image.convert(mode), format, **({"lossless": True} if format == "WEBP" else {}))
    found = read(content)
    assert found.getpixel((2, 37)) == (ground,) * 3 and found.getpixel((20, 20)) == (ink,) * 3


@pytest.mark.parametrize("tone, ground", [(230, 255), (20, 0)])
def test_a_cut_corner_and_a_shadow_continue_the_picture(tone, ground):
    image = Image.new("RGBA", (40, 40), (tone, tone, tone, 255))
    image.paste((90, 90, 90, 0), (30, 30, 40, 40))
    image.paste((tone, tone, tone, 128), (0, 30, 10, 40))
    found = read(encoded(image))
    assert found.getpixel((35, 35)) == (ground,) * 3
    assert found.getpixel((5, 35))[0] == pytest.approx((tone + ground) / 2, abs=1)


def test_nothing_but_transparency_is_white_paper():
    assert read(encoded(Image.new("RGBA", (8, 8), (9, 9, 9, 0)))).getpixel((0, 0)) == (255, 255, 255)


def test_transparency_is_averaged_with_its_colour():
    """A hidden colour must not bleed into what is seen when a picture is reduced."""
    values = np.zeros((3000, 2000, 4), np.uint8)
    values[::2] = (200, 0, 0, 255)
    values[1::2] = (0, 255, 0, 0)
    # half is opaque, so it is ink, and dark: the ground is white
    assert np.abs(np.asarray(as_rgb(Image.fromarray(values)))[500, 300] - np.array([227.5, 127.5, 127.5])).max() < 45
    assert np.asarray(as_rgb(Image.fromarray(values))).mean((0, 1)) == pytest.approx([227.5, 127.5, 127.5], abs=1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation):
    """Every orientation of the same scene shows its upper left corner where it belongs."""
    scene = Image.new("RGB", (40, 20), "white")
    scene.paste("black", (0, 0, 20, 10))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = scene.transpose(undo[orientation]) if orientation in undo else scene
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = read(encoded(stored, "JPEG", exif=exif, quality=95))
    assert upright.size == (40, 20)
    np.testing.assert_allclose(np.asarray(upright), np.asarray(scene), atol=60)


@given(st.binary(max_size=300))
def test_any_bytes_give_an_image_or_a_sentence(content):
    for prefix in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\x10\0\0\0WEBP"):
        image_or_sentence(prefix + content)


SAMPLES = [
    encoded(PLAIN), png(noise(9, 9, 4, 65536), RGBA, True), encoded(PLAIN, "JPEG", exif=EXIF), encoded(PLAIN, "MPO"),
    encoded(PLAIN, "JPEG", progressive=True), encoded(PLAIN.convert("CMYK"), "JPEG"), encoded(PLAIN, "WEBP"),
    encoded(PLAIN.convert("RGBA"), "WEBP", lossless=True), encoded(PLAIN, "GIF"),
    *(animated([RED, PLAIN.resize((8, 8))], format) for format in ("GIF", "PNG", "WEBP")),
    encoded(PLAIN.quantize(9), transparency=bytes([0, 99, 255])), *(content for content, _ in OTHERS),
]  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from(SAMPLES), st.data())
def test_cut_and_altered_files_give_an_image_or_a_sentence(content, data):
    changed = bytearray(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    for _ in range(data.draw(st.integers(0, 8)) if changed else 0):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    image_or_sentence(bytes(changed))


def image_or_sentence(content):
    try:
        read(content)
    except uploads.UploadError as error:
        assert str(error).endswith(".")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_added_memory_stays_below_150_megabytes(kind):
    assert cost(KINDS[kind].make()).megabytes < 150

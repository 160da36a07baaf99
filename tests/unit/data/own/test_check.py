import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vae.data import archives, own
from vae.data.own import checking, prepared

from .images import named, picture, unpacked, zipped


def checked(what, size=28, **options):
    return own.check(own.open_source(what), size, **options)


@pytest.mark.parametrize("size", own.SIZES)
def test_a_zip_a_folder_and_files_are_the_same(size, tmp_path):
    files = named()
    found = [checked(what, size) for what in ([("a.zip", zipped(files))], unpacked(files, tmp_path), zipped(files))]
    for check in found:
        assert check.refusal == "" and check.count == check.distinct == 120 and not check.duplicates
        assert check.classes == {"a": 60, "b": 60} and check.factors == {} and not check.colour
        assert check.sizes == ((20, 20), (20, 20)) and check.thumbnails.shape == (24, size, size, 1)
        np.testing.assert_array_equal(check.prepared.images(), found[0].prepared.images())
        assert check.prepared.images().shape == (120, 1, size, size)
    assert checked([(name.split("/")[1], content) for name, content in files], size).classes == {}
    assert found[0].sentences[0] == "There are 120 images, all 20 × 20 pixels. They are stored grey."
    assert found[0].sentences[-1] == "96 images are for training, 12 for validation and 12 for testing."


def test_each_image_is_what_the_model_sees_of_an_upload(tmp_path):
    from vae.uploads import read_image

    files = named(100, size=(45, 31), colour=True)
    source = own.open_source([("a.zip", zipped(files))])
    check = own.check(source, 32)
    info = own.build(source, check, tmp_path / "mine", "Mine", 32)
    images = np.load(tmp_path / "mine" / "images.npy")
    assert check.colour and info.image_shape == (3, 32, 32)
    for k, (_, content) in enumerate(sorted(files)):
        np.testing.assert_array_equal(images[k], np.rint(255 * info.prepare(read_image(content)).x[0].numpy()))


def test_colour_is_kept_where_an_image_has_it(monkeypatch):
    monkeypatch.setattr(prepared, "CHUNK", 16)
    grey = named(120)
    colourful = [*grey, ("z.png", picture(0, colour=True))]
    check = checked([("a.zip", zipped(colourful))])
    assert check.colour and check.prepared.images().shape == (121, 3, 28, 28)
    without = checked([("a.zip", zipped(grey))]).prepared.images()
    np.testing.assert_array_equal(check.prepared.images()[:-1], without.repeat(3, 1))
    assert "They are stored in colour." in check.sentences[0]
    assert checked([("a.zip", zipped(colourful))], colour=False).prepared.images().shape == (121, 1, 28, 28)
    assert checked([("a.zip", zipped(named()))], colour=True).prepared.images().shape == (120, 3, 28, 28)


def test_what_was_found_is_said():
    files = [*named(), ("a/copy.png", picture(0)), ("b/other.png", picture(7, (300, 200))), ("a/<b>x_.png", b"no"),
             ("notes.txt", b"hello"), ("inner.zip", zipped(named(2)))]  # fmt: skip
    check = checked([("a.zip", zipped(files))])
    assert (check.count, check.distinct, check.duplicates, check.broken_count) == (122, 121, 1, 1)
    assert check.broken == (r"a/bx\_.png",)
    assert check.sentences[1:-1] == (
        "Each is cropped to its middle square and scaled to 28 × 28 pixels.",
        "There are 2 classes: a (61), b (61).",
        "1 image is a copy of another one. Copies stay in the same split.",
        r"1 file cannot be decoded and will be left out: a/bx\_.png.",
        "2 other files were left out: not PNG, JPEG, WebP or GIF.",
    )
    assert check.sentences[0].startswith("There are 122 images, 20 × 20 to 300 × 200 pixels.")


BLACK = picture(0, (20, 20))


@pytest.mark.parametrize(
    "files, sentence",
    [
        ([], "There is no PNG, JPEG, WebP or GIF image here."),
        (named(1), "There is 1 image; a data set needs at least 100."),
        (named(99), "There are 99 images; a data set needs at least 100."),
        ([(f"{i}.png", picture(3)) for i in range(150)], "All 150 images are the same."),
        ([(f"{i}.png", picture(i % 60)) for i in range(150)], "Only 60 of 150 images are different"),
        ([(f"{i}.png", b"\x89PNG" + bytes(i)) for i in range(150)], "Only 0 of 150 images can be decoded"),
        ([("inner.zip", zipped(named()))], "This zip holds other zips and no image."),
        ([("a.txt", b"hello")], "This is text, not a PNG, JPEG, WebP or GIF image"),
        ([("a.txt", b"hello"), ("b.txt", b"you")], "There is no PNG, JPEG, WebP or GIF image here."),
    ],
)
def test_what_cannot_become_a_data_set_gets_a_sentence(files, sentence):
    check = checked([("a.zip", zipped(files))])
    assert check.refusal.startswith(sentence) and check.refusal.endswith(".") and check.count < 151


def test_black_images_and_text_without_a_zip():
    from PIL import Image

    from ..files import encoded

    black = [(f"{i}.png", encoded(Image.new("L", (9, 9)))) for i in range(100)]
    assert checked(black).refusal == "All 100 images are black."
    assert checked(b"hello").refusal.startswith("This is text")
    assert checked([("a.zip", b"PK\x03\x04 nonsense")]).refusal == "This zip is damaged or cut off and cannot be read."
    assert checked([]).refusal.startswith("There is no PNG")


def test_the_app_takes_fewer_images_than_the_command_line(monkeypatch):
    monkeypatch.setattr(checking, "MAX_IN_APP", 110)
    assert checked(named()).refusal == ""
    refusal = checked(named(), in_app=True).refusal
    assert refusal.startswith("There are 120 images; the app takes up to 110.") and "vae data add" in refusal


def test_bombs_are_refused_before_anything_is_unpacked():
    bomb = zipped([(f"{i}.png", bytes(20_000_000)) for i in range(10)])
    assert len(bomb) < 500_000
    assert checked([("a.zip", bomb)]).refusal.startswith("This zip unpacks to more than 200 times its size")


def test_a_wrong_size_is_an_error():
    with pytest.raises(ValueError, match="28, 32, 64 pixels a side, not 30"):
        checked(named(), 30)


def test_the_temporary_file_goes_with_the_check(tmp_path):
    check = checked(named(), scratch=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    del check
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "paths, classes",
    [
        (("x/cats/{}.png", "x/dogs/{}.png"), {"cats": 50, "dogs": 50}),
        (("train/cats/{}.png", "test/cats/{}.png"), {}),
        (("train/cats/{}.png", "test/dogs/{}.png"), {"cats": 50, "dogs": 50}),
        (("{}.png", "cats/{}.png"), {"cats": 50, "no folder": 50}),
        (("x/{}.png", "x/cats/{}.png"), {"cats": 50, "no folder": 50}),
        (("x/y/{}.png", "x/y/{}.png"), {}),
        (("<b>/{}.png", "[x](y)/{}.png"), {"b": 50, "x(y)": 50}),
        (("表\\{}.png", "数字\\{}.png"), {"数字": 50, "表": 50}),
    ],
)
def test_folders_are_classes(paths, classes):
    files = [(paths[i % 2].format(i), picture(i)) for i in range(100)]
    check = checked([("a.zip", zipped(files))])
    assert check.refusal == "" and check.classes == classes


def test_too_many_folders_are_no_classes():
    check = checked([(f"{i}/a.png", picture(i)) for i in range(210)])
    assert check.classes == {} and "There are 210 folders, too many for classes" in " ".join(check.sentences)


TEXT = st.text(max_size=30).map(lambda text: text.replace("\0", "") or "x")
ZIP = zipped(named(100))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, st.binary(max_size=60) | st.just(picture(1))), max_size=6), st.booleans())
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_anything_that_a_stranger_sends_gets_a_sentence(uploads, packed):
    source = own.open_source([("a.zip", zipped(uploads))] if packed else uploads)
    check = own.check(source, 28, in_app=True)
    assert check.refusal.endswith(".") and "<" not in check.refusal and len(check.refusal) < 300


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 40_000), st.integers(0, 255))
def test_a_zip_with_a_damaged_byte(tail, at, value):
    content = bytearray(ZIP + tail)
    content[at % len(content)] = value
    check = own.check(own.open_source([("a.zip", bytes(content))]), 28)
    assert check.refusal.endswith(".") or check.count >= 99


def test_names_in_sentences_can_be_shown_without_markdown():
    assert archives.unescaped(archives.plain("a_*[x](y)~#.png")) == "a_*[x](y)~#.png"

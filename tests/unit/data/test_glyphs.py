import numpy as np
import pytest

from vae import folders
from vae.data import glyphs, idx

ALL = len(glyphs.CHARACTERS)


@pytest.fixture
def no_source(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def source():
    if not (folders.data() / "fonts" / glyphs.FILE).exists():
        pytest.skip("the source file is not here")
    return glyphs.read_source()


def test_the_shipped_gallery_needs_no_source(no_source):
    split = glyphs.INFO.load("test", download=False)
    assert len(split) == 80 * ALL
    assert np.array_equal(np.bincount(split.labels), np.full(ALL, 80))
    styles = glyphs.styles("test")
    assert set(styles) == set(glyphs.TEST) and styles.dtype == np.int64
    with np.load(idx.GALLERIES / "glyphs.npz", allow_pickle=False) as file:
        assert np.array_equal(file["styles"], styles)
    # each style has each character once, and the first hundred rows are a mixture
    assert len(np.unique(styles * ALL + split.labels)) == len(split)
    assert len(np.unique(styles[:100])) > 40 and len(np.unique(split.labels[:100])) > 40


def test_ink_is_bright_and_every_glyph_has_some(no_source):
    x, _ = glyphs.load("test").batch(range(80 * ALL))
    assert x.shape[1:] == glyphs.INFO.image_shape and glyphs.INFO.preparation.light_on_dark
    assert x.mean() < 0.2  # little of an image is ink
    assert x[:, :, 0].mean() < 0.01 and x[:, :, :, 0].mean() < 0.01  # none of its edge is
    assert x.amax((1, 2, 3)).min() > 0.3


def test_labels_name_the_characters(no_source):
    """By shapes that nearly all styles share."""
    _, x = glyphs.by_style("test")
    mean = dict(zip(glyphs.INFO.classes, x[:, :, 0].mean(0), strict=False))  # each (32, 32)

    def most_alike(character):
        others = [other for other in mean if other != character]
        return min(others, key=lambda other: (mean[other] - mean[character]).square().sum())

    for upper in "VWX":
        assert most_alike(upper) == upper.lower()
    assert mean["i"].sum() < mean["n"].sum() < mean["m"].sum() < mean["M"].sum()
    p, d = mean["p"], mean["d"]
    assert p[22:, :16].sum() > 2 * p[22:, 16:].sum()  # the stem below, on the left
    assert d[:10, 16:].sum() > 2 * d[:10, :16].sum()  # and above, on the right


def test_by_style_goes_with_the_rows(no_source):
    numbers, x = glyphs.by_style("test")
    assert tuple(numbers) == glyphs.TEST and x.shape == (80, ALL, 1, 32, 32)
    split = glyphs.load("test")
    rows = [0, 1, 77, 4000, 4959]
    images, labels = split.batch(rows)
    for image, label, style in zip(images, labels, glyphs.styles("test")[rows], strict=False):
        assert x[glyphs.TEST.index(style), label].equal(image)


def test_splits_share_no_style():
    parts = [glyphs.TRAIN, glyphs.VALIDATION, glyphs.TEST, glyphs.TWINS, glyphs.ODD]
    together = [style for part in parts for style in part]
    assert sorted(together) == list(range(glyphs.SOURCE_STYLES))
    assert [len(part) for part in parts] == [530, 58, 80, 55, 2]
    assert tuple(glyphs.styles("train")[::ALL]) == glyphs.TRAIN


def test_train_without_its_file_says_what_to_put_where(no_source):
    with pytest.raises(OSError, match=f"{glyphs.FILE} .* put it into {no_source}/fonts"):
        glyphs.load("train")


def test_other_files_in_the_source_s_place_are_refused(no_source):
    path = no_source / "fonts" / glyphs.FILE
    path.parent.mkdir()
    path.write_bytes(b"not an archive")
    with pytest.raises(OSError, match="damaged"):
        glyphs.load("train")
    y, f = np.arange(2 * ALL) % ALL, np.arange(2 * ALL) // ALL
    np.savez(path, x=np.zeros((2 * ALL, 32, 32), np.uint8), y=y, f=f)
    with pytest.raises(OSError, match="other images"):
        glyphs.load("train")
    np.savez(path, x=np.zeros((2 * ALL, 32, 32), np.uint8))
    with pytest.raises(OSError, match="damaged"):
        glyphs.load("train")


def test_a_missing_damaged_or_foreign_gallery(no_source, monkeypatch):
    content = (idx.GALLERIES / "glyphs.npz").read_bytes()
    monkeypatch.setattr(idx, "GALLERIES", no_source)
    with pytest.raises(OSError, match="glyphs.npz is missing"):
        glyphs.load("test", download=False)
    with pytest.raises(OSError, match="VAE_DATA"):
        glyphs.load("test")
    gallery = no_source / "glyphs.npz"
    gallery.write_bytes(content[: len(content) // 2])
    with pytest.raises(OSError, match="damaged"):
        glyphs.load("test")
    labels = glyphs.styles("test") * 0
    np.savez(gallery, images=np.zeros((len(labels), 32, 32), np.uint8), labels=labels)
    with pytest.raises(OSError, match="other glyphs"):
        glyphs.load("test")


def test_unknown_split():
    for function in (glyphs.load, glyphs.styles, glyphs.by_style):
        with pytest.raises(ValueError, match="unknown split"):
            function("held out")


def test_choose_styles_keeps_groups_whole():
    """Styles on a line: 0 and 1 are twins; 2, 3, 4 a chain; 60 to 72 too many for the test."""
    place = np.arange(200) * 10.0
    place[1] = place[0] + 0.01
    place[3:5] = place[2] + [0.06, 0.12]
    place[60:73] = place[60] + 0.05 * np.arange(13)
    twins, test, validation = glyphs.choose_styles((place[:, None] - place) ** 2)
    assert twins == (1,) and len(validation) == glyphs.VALIDATION_STYLES
    assert not set(validation) & {1, *glyphs.ODD, *range(60, 73), *test}
    assert len(set(validation) & {2, 3, 4}) in (0, 3)
    assert len(test) == glyphs.TEST_STYLES and test == tuple(sorted(set(test)))
    assert not set(test) & {1, *glyphs.ODD, *range(60, 73)}
    assert len(set(test) & {2, 3, 4}) in (0, 3)


def test_distances():
    images = np.zeros((3, ALL, 32, 32), np.uint8)
    images[1], images[2, :, :, :16] = 255, 255
    expected = [[0, 1, 0.5], [1, 0, 0.5], [0.5, 0.5, 0]]
    np.testing.assert_allclose(glyphs.distances(images), expected, atol=1e-6)


def test_the_gallery_is_of_the_source(source):
    _, x = glyphs.by_style("test")
    assert np.array_equal((x[:, :, 0] * 255).round().byte().numpy(), source[list(glyphs.TEST)])
    split = glyphs.load("train")
    assert np.array_equal(split.render(np.arange(ALL))[:, 0], source[glyphs.TRAIN[0]])
    assert np.array_equal(split.labels[: 2 * ALL], np.tile(np.arange(ALL), 2))


def test_no_style_of_one_split_is_near_one_of_another(source):
    distance = glyphs.distances(source)
    assert glyphs.choose_styles(distance) == (glyphs.TWINS, glyphs.TEST, glyphs.VALIDATION)
    assert distance[np.ix_(glyphs.TEST, glyphs.TRAIN + glyphs.VALIDATION)].min() >= glyphs.NEAR
    assert distance[np.ix_(glyphs.VALIDATION, glyphs.TRAIN)].min() >= glyphs.NEAR
    among = distance[np.ix_(glyphs.TEST, glyphs.TEST)] + np.eye(len(glyphs.TEST))
    assert among.min() >= glyphs.TWIN

import functools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage

from tests.benchmarks.photographs import figures, pages
from vae.data import DATASETS, pixels
from vae.data.preparing import KINDS, Preparation, parse_preparation, prepare
from vae.evaluation.judge import head_sizes
from vae.metrics import load_classifier

MNIST = DATASETS["mnist"]


def seven(paper=255, ink=30, size=(300, 240), at=(90, 60), scale=1.0, width=9):
    """A 7 in two strokes, 100 * scale pixels high."""
    picture = Image.new("L", size, paper)
    points = [(0, 0), (60, 0), (20, 100)]
    line = [(at[0] + scale * x, at[1] + scale * y) for x, y in points]
    ImageDraw.Draw(picture).line(line, ink, width, joint="curve")
    return picture


def prepared(picture, **options):
    return MNIST.prepare(picture, **options)


def test_box_mean_is_the_mean_of_the_pixels_that_lie_in_the_picture():
    grey = np.random.default_rng(0).integers(0, 256, (9, 13), dtype=np.uint8)
    for radius in (0, 1, 3, 20):
        for y, x in ((0, 0), (4, 6), (8, 12), (0, 7)):
            near = grey[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
            expected = (int(near.sum()) + near.size // 2) // near.size
            assert pixels.box_mean(grey, radius)[y, x] == expected


def test_a_mask_grows_to_an_octagon():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    assert pixels.grown(mask, 1).sum() == 5
    corners = pixels.grown(mask, 2)
    assert corners.sum() == 21 and not corners[2, 2] and corners[2, 3]
    assert pixels.grown(mask, 0).sum() == 1


def test_the_ground_behind_a_stroke_is_the_paper_and_an_edge_of_a_shadow_stays():
    grey = np.full((60, 60), 200, np.uint8)
    grey[:, 30:] = 120  # a shadow with a hard edge
    shadow = grey.copy()
    grey[:, 10:14] = 20
    ground = pixels.lit_from_both_sides(grey, (6,))
    inner = np.s_[8:-8, 8:25]
    assert (ground[inner] == 200).all()
    assert (np.abs(pixels.lit_from_both_sides(shadow, (6,)).astype(int) - shadow)[:, :28] == 0).all()
    assert (pixels.lit_from_both_sides(shadow, (6,))[:, 32:] == 120).all()


def test_percentile_moments_and_otsu():
    assert pixels.percentile(np.array([1, 2, 3, 200], np.uint8), 0.5) == 2
    levels = np.zeros((4, 6), np.uint8)
    levels[1, 2] = levels[1, 3] = 9
    assert pixels.moments(levels) == (3.0, 1.5)
    two = np.repeat(np.array([60, 180], np.uint8), 50)
    assert 60 <= pixels.otsu(two, 10, 20, 200) < 180


def test_components_have_boxes_areas_and_corners():
    mask = np.zeros((5, 6), bool)
    mask[0, 0] = mask[1, 1] = mask[3, 3:6] = True
    _, parts = pixels.components(mask)
    assert [part[1:] for part in parts] == [(0, 0, 2, 2, 2), (3, 3, 6, 4, 3)]
    assert len(pixels.components(mask, corners=False)[1]) == 3


def test_a_digit_is_framed_as_mnist_frames_it():
    x = prepared(seven()).x[0, 0].numpy()
    rows, columns = np.nonzero(x > 0.3)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(20, abs=1)
    mass = [(x.sum(axis) * (np.arange(28) + 0.5)).sum() / x.sum() for axis in (0, 1)]
    np.testing.assert_allclose(mass, 14, atol=0.5)


@pytest.mark.parametrize("paper", [205, 220, 240, 245, 255])
def test_the_tone_of_the_paper_ends_at_the_datas_background(paper):
    found = prepared(seven(paper, ink=paper // 8))
    assert found.inverted and found.found
    assert (found.x == 0).float().mean() > 0.6
    assert (found.x - prepared(seven()).x).abs().mean() < 0.01


def test_light_ink_on_a_dark_ground_is_the_same_digit():
    dark, light = prepared(seven()), prepared(seven(0x12, 235))
    assert dark.inverted and not light.inverted
    assert (dark.x - light.x).abs().mean() < 0.01


@pytest.mark.parametrize("edge", ["soft", "hard"])
def test_a_shadow_leaves_no_trace(edge):
    light = np.linspace(1, 0.6, 300) if edge == "soft" else np.where(np.arange(300) < 130, 1, 0.6)
    shaded = Image.fromarray((np.asarray(seven()) * light).astype(np.uint8))
    assert (prepared(shaded).x - prepared(seven()).x).abs().mean() < 0.02


@pytest.mark.parametrize("both", [False, True])
def test_printed_lines_are_ignored(both):
    picture = seven(size=(400, 320), at=(150, 90))
    lined = np.asarray(picture).copy()
    for at in range(20, 320, 50):
        lined[at : at + 2] = np.minimum(lined[at : at + 2], 120)
    if both:
        for at in range(15, 400, 50):
            lined[:, at : at + 2] = np.minimum(lined[:, at : at + 2], 120)
    found = prepared(Image.fromarray(lined))
    assert len(found.candidates) == 1
    assert (found.x - prepared(picture).x).abs().mean() < 0.03


def test_a_sheet_on_a_desk():
    desk = Image.new("L", (500, 400), 70)
    desk.paste(seven(size=(220, 200), at=(80, 50)), (130, 90))
    assert (prepared(desk).x - prepared(seven()).x).abs().mean() < 0.02


def thick_n(ground, ink):
    """A thick N, which fills more than half of its box."""
    picture = Image.new("L", (300, 260), ground)
    ImageDraw.Draw(picture).line([(90, 200), (90, 60), (190, 200), (190, 60)], ink, 40)
    return picture


def test_the_gaps_of_a_thick_letter_on_a_dark_ground_are_no_ink_on_a_sheet():
    light, dark = (DATASETS["glyphs"].prepare(thick_n(*tones)) for tones in ((20, 230), (235, 25)))
    assert not light.inverted and dark.inverted
    assert (light.x - dark.x).abs().mean() < 0.02


@pytest.mark.parametrize("width", [4, 9, 18])
def test_pens_of_any_width_give_strokes_of_one_width(width):
    def stroke_of(x):
        edges = (x[1:] - x[:-1]).abs().sum() + (x[:, 1:] - x[:, :-1]).abs().sum()
        return float(2 * x.sum() / edges)

    assert stroke_of(prepared(seven(width=width)).x[0, 0]) == pytest.approx(1.8, abs=0.35)


def test_every_digit_of_a_page_is_offered_the_largest_first():
    page = Image.new("L", (500, 300), 240)
    page.paste(seven(240, size=(110, 140), at=(20, 20)), (40, 90))
    page.paste(seven(240, size=(130, 180), at=(20, 20), scale=1.4), (300, 60))
    found = prepared(page)
    assert len(found.candidates) == 2
    left, top, right, bottom = found.candidates[0].box
    assert 300 / 500 < left < right < 430 / 500 and 60 / 300 < top < bottom < 240 / 300
    other = prepared(page, candidate=1)
    assert other.x.equal(found.candidates[1].x) and not other.x.equal(found.x)
    assert prepared(page, candidate=7).x.equal(found.x)
    assert [stage.title for stage in found.stages] == ["photo", "found", "cleaned", "as the model sees it"]


def test_at_most_twelve_are_offered():
    page = Image.new("L", (900, 900), 255)
    for i in range(16):
        page.paste(seven(size=(90, 120), at=(15, 10)), (40 + 220 * (i % 4), 30 + 220 * (i // 4)))
    assert len(prepared(page).candidates) == 12


def test_the_dot_belongs_to_the_i():
    picture = Image.new("L", (200, 200), 255)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((92, 80, 106, 160), 20)
    draw.ellipse((90, 45, 108, 63), 20)
    found = DATASETS["glyphs"].prepare(picture)
    assert len(found.candidates) == 1
    assert ndimage.label(found.x[0, 0].numpy() > 0.5)[1] == 2


@pytest.mark.parametrize("tone", [0, 128, 250, 255])
def test_an_empty_page_is_said_to_be_empty(tone):
    noise = np.random.default_rng(0).normal(tone, 2, (300, 200)).clip(0, 255).astype(np.uint8)
    found = prepared(Image.fromarray(noise))
    assert not found.found and found.candidates == () and len(found.stages) == 2
    assert found.x.equal(prepared(Image.fromarray(noise), plain=True).x)


def test_a_shape_is_black_and_white():
    picture = Image.new("RGB", (300, 300), (230, 225, 220))
    ImageDraw.Draw(picture).ellipse((60, 90, 200, 180), (60, 60, 160))
    x = DATASETS["sprites"].prepare(picture).x
    assert set(x.unique().tolist()) == {0.0, 1.0}
    rows, columns = np.nonzero(x[0, 0].numpy())
    assert abs(np.ptp(columns) + 1 - 17) <= 1 and abs(np.ptp(rows) + 1 - 11) <= 1


def test_a_garment_fills_its_frame_on_black():
    rng = np.random.default_rng(0)
    ground = rng.normal(170, 4, (240, 200, 3))
    ground[60:180, 50:150] = (60, 70, 90)
    found = DATASETS["fashion-mnist"].prepare(Image.fromarray(ground.clip(0, 255).astype(np.uint8)))
    x = found.x[0, 0].numpy()
    assert found.inverted and (x[:, :2] == 0).all() and (x[:, -2:] == 0).all()
    assert x[2:-2, 6:-6].min() > 0.4


@pytest.mark.parametrize("data", ["mnist", "mnist-binary", "glyphs", "fashion-mnist", "sprites"])
def test_an_enlarged_image_of_the_data_comes_out_as_it_is(data):
    info = DATASETS[data]
    x, _ = info.load("test").batch(range(6))
    for image in x:
        picture = Image.fromarray((255 * image[0]).numpy().astype(np.uint8))
        large = picture.resize((10 * picture.width, 10 * picture.height), Image.Resampling.NEAREST)
        assert (info.prepare(large, invert=False).x[0] - image).abs().mean() < 0.02


def test_colour_is_cropped_to_the_middle():
    picture = Image.new("RGB", (70, 64), (255, 0, 51))
    x = DATASETS["faces"].prepare(picture).x
    np.testing.assert_allclose(x[0, :, 5, 5], [1, 0, 0.2], atol=1e-6)
    assert DATASETS["faces"].prepare(picture).candidates == ()


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 99), st.sampled_from(KINDS), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_picture_gives_a_finite_image(width, height, seed, kind, flat):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    values = np.where(rng.random((height, width, 1)) < 0.9, 235, values).astype(np.uint8) if flat else values
    preparation = Preparation(kind, light_on_dark=bool(seed % 2), stroke=seed % 3)
    found = prepare(Image.fromarray(values), (1, 28, 20), preparation)
    assert found.x.shape == (1, 1, 28, 20) and found.x.isfinite().all() and 0 <= found.x.min() <= found.x.max() <= 1


@functools.cache
def judge():
    return load_classifier("mnist", MNIST.image_shape, head_sizes(MNIST))


@pytest.mark.parametrize("conditions", [
    ("plain",), ("ruled", "hard shadow"), ("desk", "tilted"), ("squared", "blue ink"), ("blackboard", "off centre"),
    ("pencil", "soft shadow"),
], ids="+".join)  # fmt: skip
def test_photographed_digits_keep_their_class(conditions):
    image = MNIST.load("test").render(np.array([len(conditions[0]) % 8]))
    page = pages.scene(conditions, seed=1)
    page.width, page.height = page.width // 2, page.height // 2
    x = prepared(pages.photograph(page, functools.partial(figures.stroke, image[0, 0]))).x
    assert judge()(x)[0].argmax() == judge()(torch.from_numpy(image).float() / 255)[0].argmax()


@pytest.mark.parametrize("values, sentence", [
    ({"knd": "digit"}, "unknown field"), ({"kind": 3}, "wrong type"), ({"stroke": -1.0}, "must lie"),
    ({"kind": "tree"}, "must be one of"), ({"stroke": float("nan")}, "must lie"),
    ({"longer_side": True}, "wrong type"),
])  # fmt: skip
def test_a_description_that_is_none_is_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_preparation(values)
    assert parse_preparation({"kind": "digit", "stroke": 2}) == Preparation("digit", stroke=2)

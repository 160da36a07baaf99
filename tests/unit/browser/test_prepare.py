"""The page's `prepare` in node, against Python's: the same x, boxes and decisions from the same picture."""

import base64
import itertools
import json
import subprocess
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.benchmarks.photographs import figures, pages, sets
from vae.data import DATASETS

from ..data.test_preparing import thick_n
from .test_network import node_of

SCRIPT = Path(__file__).parents[2] / "js/run_prepare.mjs"


def in_node(jobs: list[tuple]) -> list[dict]:
    """Prepare (data set, picture, options of prepare) in node."""
    written = []
    for info, picture, options in jobs:
        rgba = base64.b64encode(picture.convert("RGBA").tobytes()).decode()
        written.append({
            "width": picture.width, "height": picture.height, "rgba": rgba, "shape": info.image_shape,
            "preparation": asdict(info.preparation), "options": options,
        })  # fmt: skip
    done = subprocess.run([node_of(), SCRIPT], input=json.dumps(written).encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def check(jobs: list[tuple]) -> None:
    for (info, picture, options), found in zip(jobs, in_node(jobs), strict=True):
        expected = info.prepare(picture, **options)
        assert (found["inverted"], found["found"]) == (expected.inverted, expected.found)
        assert len(found["candidates"]) == len(expected.candidates)
        for one, other in zip(found["candidates"], expected.candidates, strict=True):
            np.testing.assert_allclose(one["box"], other.box, atol=1e-9)
            near(one["x"], other.x)
        near(found["x"], expected.x)
        assert found["stages"] == [[stage.title, *stage.picture.size] for stage in expected.stages]


def near(x: list[float], expected) -> None:
    apart = np.abs(np.array(x) - expected.numpy().ravel())
    assert (apart <= 1.001 / 255).mean() >= 0.99, f"{(apart > 1.001 / 255).sum()} pixels differ, by {apart.max():.3f}"


@pytest.mark.parametrize("conditions", [(name,) for name in pages.CONDITIONS], ids="+".join)
def test_photographed_digits_are_prepared_alike(conditions):
    page = pages.scene(conditions, seed=0)
    page.width, page.height = page.width // 2, page.height // 2
    image = DATASETS["mnist"].load("test").render(np.array([len(conditions[0]) % 7]))[0, 0]
    picture = pages.photograph(page, partial(figures.stroke, image))
    ways = [{}, {"candidate": 1}, {"plain": True}, {"invert": False}]
    check([(DATASETS["mnist"], picture, way) for way in ways] + [(DATASETS["mnist-binary"], picture, {})])


@pytest.mark.parametrize("data", ["glyphs", "sprites", "fashion-mnist"])
def test_photographs_of_other_data_are_prepared_alike(data):
    photographs = itertools.islice(sets.SETS[data](), 3)
    check([(DATASETS[data], photograph.picture.reduce(2), {}) for photograph in photographs])


def test_a_thick_letter_on_a_slide_is_prepared_alike():
    check([(DATASETS["glyphs"], thick_n(20, 230), {})])


@pytest.mark.parametrize("data", sorted(DATASETS))
def test_odd_pictures_are_prepared_alike(data):
    rng = np.random.default_rng(0)
    shapes = [(1, 1), (1, 90), (90, 1), (2, 3), (28, 28), (64, 64), (33, 47), (60, 250), (250, 20)]
    pictures = [Image.fromarray(rng.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]
    pictures += [Image.new("RGB", (70, 50), colour) for colour in ("white", "black", "#808080")]
    own = DATASETS[data].modality.picture(DATASETS[data].load("test").batch([0])[0])[0]
    own = Image.fromarray(own[..., 0] if own.shape[-1] == 1 else own).convert("RGB")
    pictures += [own, own.resize((200, 200)), Image.eval(own, lambda level: 255 - level).resize((140, 140))]
    check([(DATASETS[data], picture, {}) for picture in pictures])

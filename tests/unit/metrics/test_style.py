from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vae.data import glyphs
from vae.metrics.style import SOURCES, style_consistency

STYLES, CLASSES, SHAPE = 20, 7, (1, 6, 5)
IMAGES = torch.rand(STYLES, CLASSES, *SHAPE, generator=torch.Generator().manual_seed(0))


class Model:
    """Encodes a known glyph as the number of its style; a subclass says what that decodes to."""

    num_classes = CLASSES

    def encode(self, x, y):
        same = (x[:, None] == IMAGES[:, y].transpose(0, 1)).flatten(2).all(2)  # (B, S)
        assert (same.sum(1) == 1).all()
        return SimpleNamespace(mean=same.float().argmax(1, keepdim=True).float())

    def decode(self, z, y):
        return self.glyph(z[:, 0].long(), y)


class Oracle(Model):
    def glyph(self, style, y):
        return IMAGES[style, y]


class Deaf(Model):
    """Ignores z."""

    def glyph(self, style, y):
        return IMAGES.mean(0)[y]


class NextStyle(Model):
    def glyph(self, style, y):
        return IMAGES[(style + 1) % STYLES, y]


class OnlyItsOwnGlyph(Model):
    """Gives the source back, and tells nothing of the other characters."""

    def encode(self, x, y):
        style = super().encode(x, y).mean
        return SimpleNamespace(mean=torch.cat([style, y[:, None].float()], 1))

    def decode(self, z, y):
        style, source = z.long().T
        known = (y == source)[:, None, None, None]
        return torch.where(known, IMAGES[style, y], IMAGES.mean(0)[y])


def test_an_oracle_keeps_every_style():
    result = style_consistency(Oracle(), IMAGES, (2, 0, 5))
    assert result.style_distance == pytest.approx(0, abs=1e-5)
    assert result.style_retrieval == 1
    assert result.chance == 1 / STYLES
    # the z of another style is never nearest to the style that it is taken for, and its distance
    # to the others is a mean that holds one 0
    assert result.style_retrieval_permuted == 0
    assert result.style_distance_permuted == pytest.approx((STYLES - 1) / (STYLES - 2), rel=0.03)
    assert all(type(value) is float for value in result[:5])


def test_a_model_that_ignores_z_keeps_none():
    result = style_consistency(Deaf(), IMAGES, (2, 0, 5))
    assert result.style_distance == pytest.approx(1, abs=1e-5)
    assert result.style_distance_permuted == pytest.approx(1, abs=1e-5)
    # all z give the same characters, which are nearest to one style
    assert result.style_retrieval == pytest.approx(1 / STYLES)
    assert result.style_retrieval_permuted == pytest.approx(1 / STYLES)


def test_a_model_that_takes_the_wrong_style():
    result = style_consistency(NextStyle(), IMAGES, (1,))
    assert result.style_distance > 1 and result.style_retrieval == 0


def test_the_source_does_not_help_retrieval():
    result = style_consistency(OnlyItsOwnGlyph(), IMAGES, (3, 4))
    assert result.style_retrieval == pytest.approx(1 / STYLES)
    # a true glyph is at 0 from its own and at twice a mean glyph's distance from the others, so
    # one true and six mean glyphs are at (0 + 6) from their own and at (2 + 6) from the others
    assert result.style_distance == pytest.approx(6 / 8, abs=0.02)


def test_figures_by_hand():
    """Three styles of two characters and one pixel; z is the glyph's grey, which is decoded."""
    images = torch.tensor([[0.0, 0.1], [0.5, 0.5], [1.0, 0.2]]).reshape(3, 2, 1, 1, 1)
    model = SimpleNamespace(
        num_classes=2,
        encode=lambda x, y: SimpleNamespace(mean=x.flatten(1)),
        decode=lambda z, y: z.reshape(-1, 1, 1, 1),
    )
    result = style_consistency(model, images, (0,))
    own = np.mean([(0 + 0.01) / 2, 0, (0 + 0.64) / 2])
    to_others = np.mean([
        (0.25 + 0.25 + 1 + 0.04) / 4, (0.25 + 0.16 + 0.25 + 0.09) / 4, (1 + 0.81 + 0.25 + 0.25) / 4,
    ])  # fmt: skip
    assert result.style_distance == pytest.approx(own / to_others, abs=1e-6)
    # by the second character: 0 is nearest to 0.1, 0.5 to 0.5, but 1 to 0.5 and not to 0.2
    assert result.style_retrieval == pytest.approx(2 / 3)


class Contrast(Model):
    """The right style, too harsh for every other style and too pale for those between."""

    def glyph(self, style, y):
        contrast = torch.where(style % 2 == 0, 3.0, 0.2)[:, None, None, None]
        return 0.5 + contrast * (IMAGES[style, y] - 0.5)


def test_retrieval_looks_for_the_style_of_a_z_not_for_the_z_of_a_style():
    """Harsh glyphs are nearest to their own style, to which pale ones of any style are nearer."""
    assert style_consistency(Contrast(), IMAGES, (2,)).style_retrieval == 1


class Blurred(Model):
    """Mixes the style with noise of its own, more of it for some styles than for others."""

    noise = torch.rand(IMAGES.shape, generator=torch.Generator().manual_seed(1))

    def glyph(self, style, y):
        share = (0.25 * (style % 5))[:, None, None, None]
        return (1 - share) * IMAGES[style, y] + share * self.noise[style, y]


def figures_one_by_one(images, source, target):
    """(distance, retrieval) of Blurred where the z of style s is taken for target[s]."""
    s_of = [torch.full((CLASSES,), s) for s in range(len(images))]
    decoded = [Blurred().glyph(s, torch.arange(CLASSES)).double() for s in s_of]
    to_target, to_others, hits = [], [], []
    for s, t in enumerate(target):
        errors = [((decoded[s] - other) ** 2).flatten(1).mean(1) for other in images.double()]
        to_target.append(errors[t].mean())
        to_others.append(np.mean([e.mean() for k, e in enumerate(errors) if k != t]))
        totals = [sum(e[c] for c in range(CLASSES) if c != source) for e in errors]
        hits.append(totals.index(min(totals)) == t)
    return np.mean(to_target) / np.mean(to_others), np.mean(hits)


def test_against_loops():
    result = style_consistency(Blurred(), IMAGES, (2,))
    assert result[:2] == pytest.approx(figures_one_by_one(IMAGES, 2, range(STYLES)), abs=1e-5)
    assert 0.3 < result.style_retrieval < 0.95
    # with three styles there are two ways to give each the z of another
    result = style_consistency(Blurred(), IMAGES[:3], (2,))
    expected = [figures_one_by_one(IMAGES[:3], 2, t) for t in ((1, 2, 0), (2, 0, 1))]
    assert any(result[2:4] == pytest.approx(figures, abs=1e-5) for figures in expected)


def test_the_figures_are_means_over_the_sources():
    one, two = (style_consistency(OnlyItsOwnGlyph(), IMAGES, (c,)) for c in (3, 4))
    both = style_consistency(OnlyItsOwnGlyph(), IMAGES, (3, 4))
    assert both.style_retrieval == pytest.approx((one.style_retrieval + two.style_retrieval) / 2)
    assert both.style_distance == pytest.approx(
        (one.style_distance + two.style_distance) / 2, rel=0.01
    )


def test_seed_and_protocol():
    first, again, other = (style_consistency(Oracle(), IMAGES, (2,), seed) for seed in (0, 0, 1))
    assert first == again
    assert first.style_distance_permuted != other.style_distance_permuted
    assert first.style_distance == other.style_distance
    assert "20 test styles" in first.protocol and "seed 0" in first.protocol


def test_the_default_sources():
    assert [glyphs.CHARACTERS[source] for source in SOURCES] == list("nRg3")


def test_bad_arguments():
    for images in (IMAGES[:2], IMAGES[0], IMAGES[:, :5]):
        with pytest.raises(ValueError):
            style_consistency(Oracle(), images, (0,))
    for sources in ((), (CLASSES,), (-1,)):
        with pytest.raises(ValueError, match="sources"):
            style_consistency(Oracle(), IMAGES, sources)
    with pytest.raises(ValueError, match="alike"):
        style_consistency(Oracle(), IMAGES[:1].repeat(4, 1, 1, 1, 1), (0,))

    class Broken(Oracle):
        def glyph(self, style, y):
            return IMAGES[style, y] / 0

    with pytest.raises(ValueError, match="not finite"):
        style_consistency(Broken(), IMAGES, (0,))

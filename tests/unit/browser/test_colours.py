"""Colours of classes and of values."""

import numpy as np
import pytest

from vae.browser.colours import CIVIDIS, PETROFF, RDBU, class_colours, on_scale, ramps


@pytest.mark.parametrize("n", [1, 10])
def test_up_to_ten_classes_have_petroffs_colours(n):
    assert class_colours(n) == list(PETROFF[:n])


def test_more_classes_have_different_colours():
    assert len(set(class_colours(62))) == 62


def test_a_value_between_two_colours_of_a_scale_is_mixed():
    assert on_scale(("#000000", "#ff8000", "#ffffff"), np.array([0, 0.25, 0.5, 1])) == [
        "#000000", "#804000", "#ff8000", "#ffffff",
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "scale"), [("magnitude", CIVIDIS), ("signed", RDBU)])
def test_ramps_go_from_end_to_end_of_their_scales(name, scale):
    ramp = ramps()[name]
    assert ramp[0] == scale[0] and ramp[-1] == scale[-1] and len(set(ramp)) == len(ramp)


def test_the_signed_ramp_is_lightest_at_zero():
    brightness = [sum(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in ramps()["signed"]]
    middle = len(brightness) // 2
    assert max(brightness[:middle]) == brightness[middle - 1] and max(brightness[middle:]) == brightness[middle]

"""The parsers of what a browser sends: known answers, and no exception for whatever JSON can hold."""

import base64
import json
import math
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pages.components.bridge import rerun
from pages.components.shell.parse import (
    MAX_COUNT,
    MAX_POSITION,
    parse_base64,
    parse_code,
    parse_code_text,
    parse_codes,
    parse_flag,
    parse_flag_text,
    parse_indices,
    parse_int,
    parse_int_text,
    parse_name,
    parse_names_text,
    parse_number,
    parse_number_text,
    parse_numbers,
    parse_object,
    parse_pixels,
    parse_positions,
    parse_text,
    repair_link,
)

FALLBACK = np.array([0.25, -0.5])
HUGE = 10**400  # an integer that no float holds
numbers = st.integers() | st.floats() | st.sampled_from([HUGE, -HUGE, 2**63, 1e30, -1e308, 0.0, 1, 1.0])
texts = st.text(st.characters(exclude_categories=[]), max_size=30)  # lone surrogates too, as JSON may hold
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda parts: st.lists(parts, max_size=6) | st.dictionaries(texts, parts, max_size=4), max_leaves=12
)
# lists that are nearly right, which random values hardly ever are
nearly = st.lists(numbers, min_size=2, max_size=2) | st.lists(scalars, min_size=2, max_size=2)
anything = values | nearly | st.lists(nearly, max_size=6) | st.lists(st.integers(-3, 12), max_size=30)


def deep(levels=900):
    value = []
    for _ in range(levels):
        value = [value]
    return value


WORST = [
    None, True, False, 1.0, HUGE, -HUGE, math.nan, math.inf, -math.inf, "", "1", "\ud800", [], {}, [[]], [None, None],
    [True, False], [HUGE, 1], [math.nan, math.inf], [1, "2"], [[1, 2], [3]], [0] * 200_000, [[0, 0]] * 200_000,
    "A" * 1_000_000, {"z": [1]}, deep(), json.loads("[1e400, -1e400]"),
]  # fmt: skip


CHECKS = []


def on_junk(check):
    """Run a check of a parser on generated JSON values; the test below runs it on the worst ones."""
    CHECKS.append(check)
    return given(anything)(check)


@on_junk
def test_objects(value):
    found = parse_object(value)
    assert found is value if isinstance(value, dict) else found is None
    assert parse_object(value, model="mnist-vae-2d") is None


@on_junk
def test_integers(value):
    found = parse_int(value, -2, 5)
    assert found is None or type(found) is int and -2 <= found <= 5 and found == value


@on_junk
def test_numbers(value):
    found = parse_number(value, 0, 86_400)
    assert found is None or type(found) is float and 0 <= found <= 86_400 and found == value
    found = parse_numbers(value, 2, 100)
    assert found is None or len(found) == 2 and all(type(v) is float and abs(v) <= 100 for v in found)


@on_junk
def test_codes(value):
    for code, repaired in [parse_code(value, FALLBACK, 1000.0), parse_code([value, 1], FALLBACK, 1000.0)]:
        assert type(repaired) is bool
        if code is None:
            assert not repaired
        else:
            assert code.shape == (2,) and code.dtype == np.float32
            assert np.isfinite(code).all() and np.abs(code).max() <= 1000
    for codes in (parse_codes(value, 4, FALLBACK, 1000.0), parse_codes([value], 4, FALLBACK, 1000.0)):
        if codes is not None:
            assert codes.dtype == np.float32 and codes.ndim == 2 and codes.shape[1] == 2
            assert 1 <= len(codes) <= 4 and np.isfinite(codes).all() and np.abs(codes).max() <= 1000


@on_junk
def test_indices(value):
    found = parse_indices(value, 10)
    if found is not None:
        assert found.dtype == np.int64 and (np.diff(found) > 0).all()
        assert set(found) == {v for v in value if 0 <= v < 10}


@on_junk
def test_places(value):
    for places in (parse_positions(value, 4), parse_positions([value], 1)):
        if places is not None:
            assert places.dtype == np.float64 and places.ndim == 2 and places.shape[1] == 2
            assert 1 <= len(places) <= 4 and (np.abs(places) <= MAX_POSITION).all()


@on_junk
def test_texts_names_and_flags(value):
    assert len(parse_text(value, 40)) <= 40 and isinstance(parse_text(value, 40), str)
    assert parse_flag(value) is (value is True)
    name = parse_name(value, 24)
    assert (name is None) == (not isinstance(value, str))
    if name is not None:
        assert len(name) <= 24 and name == name.strip() and (name.isprintable() and not set(name) & set(":;<>&"))
        assert parse_name(name, 24) == name


@on_junk
def test_pixels(value):
    found = parse_pixels(value, (3, 2, 2))
    assert found is None or found.shape == (3, 2, 2) and found.dtype == np.uint8
    content = parse_base64(value, 12)
    assert content is None or isinstance(content, bytes) and len(content) <= 12


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_worst(check):
    for value in WORST:  # too long and too deep for hypothesis to print as examples
        check(value)


@given(st.text() | st.text("0123456789-+.,;:eEnaif_ ²٣", max_size=30))
@example("9" * 5000)  # more digits than Python turns into an integer
@example("9" * 400 + ",0")
def test_texts_of_links(text):
    value = parse_number_text(text, -2.0, 2.5)
    assert value is None or type(value) is float and -2.0 <= value <= 2.5
    assert parse_flag_text(text) in (True, False, None)
    number = parse_int_text(text, 1, 300)
    assert number is None or 1 <= number <= 300
    code, problem = parse_code_text(text, 2, 1000.0)
    assert problem or code is not None
    if code is not None:
        assert code.shape == (2,) and code.dtype == np.float32 and np.nanmax(np.abs(code)) <= 1000
        assert np.isnan(code).any() == bool(problem)
    assert all(isinstance(part, str) for part in repair_link({text: text, "z": text}).values())
    names = parse_names_text(text, 3, 24)
    assert len(names) <= 3
    assert all(0 <= d < 3 and name == parse_name(name, 24) for d, name in names)


# ---- known answers


def test_known_integers_and_numbers():
    assert parse_int(0, 0, 9) == 0 and parse_int(9, 0, 9) == 9 and parse_int(10, 0, 9) is None
    assert parse_int(True, 0, 9) is None and parse_int(1.0, 0, 9) is None  # JavaScript sends 1.0 as 1
    assert parse_int(json.loads("1"), 0, MAX_COUNT) == 1 and parse_int(2**53, 0, MAX_COUNT) is None
    assert parse_int(0, 0, -1) is None  # of nothing there is no index
    assert parse_number(3, 0, 5) == 3.0 and parse_number(True, 0, 5) is None and parse_number(math.nan, 0, 5) is None
    assert parse_numbers([0.5, -1], 2, 100) == [0.5, -1.0] and parse_numbers([0.5], 2, 100) is None
    assert parse_numbers([0.0, math.nan], 2, 100) is None and parse_numbers([0, 100.5], 2, 100) is None


def test_known_objects():
    said = {"model": "a", "round": 1}
    assert parse_object(said, model="a") is said and parse_object(said, model="b") is None
    assert parse_object(said, layout=None) is said  # a field that is missing is None


def test_known_codes():
    code, repaired = parse_code([1, 0.5], FALLBACK, 1000.0)
    assert np.array_equal(code, np.array([1.0, 0.5], np.float32)) and not repaired
    for missing in (None, math.nan, math.inf, -math.inf, HUGE, 1e30):
        code, repaired = parse_code([missing, 0.5], FALLBACK, 1000.0)
        assert np.array_equal(code, np.array([0.25, 0.5], np.float32)) and repaired
    code, repaired = parse_code([10**20, -(10**20)], FALLBACK, 1000.0)
    assert np.array_equal(code, np.array([1000.0, -1000.0], np.float32)) and not repaired
    for wild in ([1], [1, 2, 3], [1, "2"], [1, True], [1, [2]], (1, 2), "12", None):
        assert parse_code(wild, FALLBACK, 1000.0) == (None, False)
    codes = parse_codes([[1, 2], [None, 4]], 2, FALLBACK, 1000.0)
    assert np.array_equal(codes, np.array([[1.0, 2.0], [0.25, 4.0]], np.float32))
    assert parse_codes([[1, 2]] * 3, 2, FALLBACK, 1000.0) is None and parse_codes([], 2, FALLBACK, 1000.0) is None
    assert parse_codes([[1, 2], [1]], 2, FALLBACK, 1000.0) is None


def test_known_indices():
    assert parse_indices([3, 1, 3, -1, 10, HUGE], 10).tolist() == [1, 3]
    assert parse_indices([], 10).shape == (0,)
    for wild in ([1, True], [1, 2.0], [1, None], "12", {"1": 2}, None):
        assert parse_indices(wild, 10) is None


def test_known_places():
    for wild in (None, [], [[1]], [[1, "a"]], [[1, None]], [[1, math.nan]], [[1, 1e9]], [[0, 0]] * 400, [7],
        [[1, True]]):
        assert parse_positions(wild, 300) is None
    np.testing.assert_array_equal(parse_positions([[1, 2.5]], 1), [[1, 2.5]])
    np.testing.assert_array_equal(parse_positions([[0.1, 123456.7]], 1), [[0.1, 123456.7]])  # nothing is rounded


def test_known_texts():
    assert parse_text("abc", 2) == "ab" and parse_text(7, 40) == "" and parse_text(None, 40) == ""
    assert parse_flag(True) and not parse_flag(1) and not parse_flag("true")
    assert parse_name(" slant<b>:1;&\n\ud800", 24) == "slantb1" and parse_name("x" * 30, 24) == "x" * 24
    assert parse_name("", 24) == "" and parse_name(3, 24) is None


def test_known_pixels():
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    text = base64.b64encode(pixels.tobytes()).decode()
    np.testing.assert_array_equal(parse_pixels(text, (3, 2, 2)), pixels)
    assert parse_pixels(text, (3, 2, 1)) is None and parse_pixels(text, (3, 2, 3)) is None
    assert parse_base64(text, 12) == pixels.tobytes() and parse_base64(text, 11) is None
    assert parse_base64("", 3) == b"" and parse_base64("AAA", 3) is None and parse_base64("AA\nAA", 3) is None


def test_known_texts_of_links():
    assert parse_int_text("7", 0, 9) == 7 and parse_int_text("007", 0, 9) == 7 and parse_int_text("10", 0, 9) is None
    assert all(parse_int_text(text, 0, 9) is None
        for text in ("", "-1", "+1", " 1", "1.0", "1_0", "²", "٣", "9" * 400))
    assert parse_number_text("-0.5", -1, 1) == -0.5 and parse_number_text("1", 0, 1) == 1.0
    assert all(parse_number_text(text, 0, 9) is None
        for text in ("", "nan", "inf", "-1", "9.1", "1,5", "0x1", "1e400"))  # fmt: skip
    assert [parse_flag_text(text) for text in ("true", "false", "True", "1", "")] == [True, False, None, None, None]
    code, problem = parse_code_text("0.1,-2", 2, 1000.0)
    assert np.array_equal(code, np.array([0.1, -2.0], np.float32)) and problem == ""
    assert parse_names_text("1:slant;0:a:b;7:none;x:none;2", 5, 24) == [(1, "slant"), (0, "ab"), (2, "")]
    assert parse_names_text("0:a;0:b;0:c", 2, 24) == [(0, "a"), (0, "b")]


@pytest.mark.parametrize(
    "text, code, problem",
    [
        ("1,2,3", None, "its z has 3 dimensions, but this model's z has 2"),
        ("", None, "its z cannot be read"),
        ("a,b", None, "its z cannot be read"),
        ("a", None, "its z cannot be read"),
        ("0.5", [0.5, np.nan], "1 of the 2 values of its z is missing"),
        ("0.5,", [0.5, np.nan], "1 of the 2 values of its z is missing"),
        ("nan,0", [np.nan, 0], "1 of the 2 values of its z cannot be read"),
        ("0.5,1e999", [0.5, np.nan], "1 of the 2 values of its z cannot be read"),
        ("1001,0", [np.nan, 0], "1 of the 2 values of its z cannot be read"),
        ("0.5,\u22121.5", [0.5, -1.5], ""),
        (" 0.5, \u20131.5", [0.5, -1.5], ""),
        ("\uff10.5,1", [0.5, 1], ""),
    ],
)
def test_what_is_wrong_with_a_code_of_a_link(text, code, problem):
    found, said = parse_code_text(text, 2, 1000.0)
    assert said == problem
    assert found is None if code is None else np.array_equal(found, np.float32(code), equal_nan=True)


@pytest.mark.parametrize(
    "query",
    [
        "model=mnist-cvae&z=0.5,-1&y=3",
        "model=mnist-cvae&amp;z=0.5,-1&amp;y=3",
        "model=mnist-cvae&amp;amp;z=0.5,-1&amp;amp;y=3",
        "model=mnist-cvae&z=0.5%2C-1&y=3).",
        "model=mnist-cvae&z=0.5%252C-1&y=3",
        "model=mnist-cvae%26z%3D0.5%2C-1%26y%3D3",
        "model=3Dmnist-cvae&z=3D0.5,-1&y=3D3",
        "model=mnist-%0D%0Acvae&z=0.5,=%0A-1&y=3%0A",
        "Model=mnist-cvae&Z=0.5,-1&Y=3",
        "model=mnist-cvae&z=0.5,-1&y=3%E2%80%9D",
        "model=mnist-cvae&z=0.5%E2%80%8B,-1&y=3",
    ],
)
def test_a_link_is_repaired(query):
    assert repair_link(dict(parse_qsl(query))) == {"model": "mnist-cvae", "z": "0.5,-1", "y": "3"}


@pytest.mark.parametrize("cut", ["1.5%2", "1.5%", "1.5%2C", "1.5,", "1.5"])
def test_a_link_that_is_cut_in_an_escape_keeps_what_stands_before(cut):
    code, problem = parse_code_text(repair_link(dict(parse_qsl(f"model=a&z={cut}")))["z"], 3, 1000.0)
    assert np.array_equal(code, np.float32([1.5, np.nan, np.nan]), equal_nan=True)
    assert problem == "2 of the 3 values of its z are missing"


def test_a_sound_link_stays_as_it_is():
    sound = {"model": "mnist-cvae", "names": "0:3D width;1:a (b)", "lesson": "kl.2"}
    assert repair_link(sound) == sound
    assert repair_link({}) == {}


# ---- asking for a rerun


def test_a_rerun_is_requested_by_key_and_happens_once(monkeypatch):
    class Streamlit:
        session_state, runs = {}, 0

        def rerun(self):
            self.runs += 1

    fake = Streamlit()
    monkeypatch.setattr(rerun, "st", fake)
    rerun.rerun_if_requested("scatter")
    assert fake.runs == 0
    rerun.request_rerun("scatter")
    rerun.request_rerun("scatter")
    rerun.rerun_if_requested("live_panel")
    assert fake.runs == 0
    rerun.rerun_if_requested("scatter")
    rerun.rerun_if_requested("scatter")
    assert fake.runs == 1

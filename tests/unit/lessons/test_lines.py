"""The lines of fields: documents whose lines are known by construction."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from vae.lessons.lines import field_lines, line_of

# lines of texts and lists that look like what they are not
BAIT = ["[[step]]", "[step.try]", "reveal = 'x'", "# a comment", "", "a = [", "}", "]", '\\"\\"\\"', "x = '''"]


@st.composite
def values(draw):
    """A value as TOML writes it, on one line or several."""
    bait = draw(st.lists(st.sampled_from(BAIT), min_size=1, max_size=4))
    basic = '"""' + "\n".join(bait) + '"""'
    literal = "'''" + "\n".join(line.replace("'''", "") for line in bait) + "'''"
    listed = "[\n" + "".join(f"  '{line}', # ]\n\n" for line in bait if "'" not in line) + "]"
    folded = '"""\\\n  ' + " \\\n  ".join(bait) + '"""'
    return draw(st.sampled_from(["1", '"[[step]]"', "{ reveal = 1 }", "[[1], [2]]", basic, literal, listed, folded]))


@st.composite
def documents(draw):
    """A document and {path: line}: fields, then [[step]] tables with fields, some dotted, and one table inside."""
    text, expected, steps = "", {}, -1

    def add(statement, path):
        nonlocal text
        text += draw(st.sampled_from(["", "\n", "# [[step]]\n", " \t\n\n"]))
        for end in range(1, len(path) + 1):
            expected.setdefault(path[:end], text.count("\n") + 1)
        text += statement + "\n"

    for table in draw(st.lists(st.sampled_from(["step", "inner"]), max_size=4)):
        if table == "step":
            steps += 1
            add(draw(st.sampled_from(["[[step]]", "  [[ step ]]  # one"])), ("step", steps))
            place = ("step", steps)
        elif steps >= 0 and ("step", steps, "inner") not in expected:
            add("[step.inner]", ("step", steps, "inner"))
            place = ("step", steps, "inner")
        else:
            continue
        for name in draw(st.lists(st.sampled_from(["a", "b.c", "b.d", '"e f"', "g"]), unique=True, max_size=4)):
            value = draw(values())
            path = (*place, *name.replace('"', "").split("."))
            add(f"{name} = {value}", path)
            if value.startswith("{"):
                expected[(*path, "reveal")] = expected[path]
    return text, expected


@given(documents(), st.booleans())
def test_every_field_has_the_line_on_which_it_begins(document, windows):
    text, expected = document
    if windows:
        text = text.replace("\n", "\r\n")
    tomllib.loads(text)  # the documents are valid
    assert field_lines(text) == expected


def test_deep_nesting_takes_no_memory():
    for text in ("a." * 2_000 + "a = 1\n", "[" + "a." * 2_000 + "a]\nb = 1\n"):
        assert line_of(("a",), field_lines(text)) == 1 and len(field_lines(text)) < 20


def test_a_field_without_a_line_of_its_own_has_that_of_its_table():
    lines = field_lines("a = 1\n\n[[step]]\nb = ['x',\n  'y']\n")
    assert line_of(("step", 0, "b", 1), lines) == 4
    assert line_of(("step", 0, "missing"), lines) == 3
    assert line_of(("step", 7), lines) == 3
    assert line_of((), lines) == line_of(("missing",), lines) == 1

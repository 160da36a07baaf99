"""The reader of lessons: what it returns, and the sentence for each kind of mistake."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vae import lessons
from vae.lessons import LessonError, read, read_lesson, read_plans

LESSON = '''\
title = "Collapse"
about = "When the KL wins."
order = 3
minutes = 5
aims = ["Tell a collapse"]
prior = "The ELBO."

[[step]]
predict.question = "What is left?"
predict.answers = ["Everything", "Nothing"]
predict.correct = "Nothing"
predict.misconceptions = [{ answer = "Everything", belief = "Nets learn all.", source = "a forum" }]
try.text = """\\
reveal = 'no field'
[[step]]"""
try.page = "map"
try.model = "mnist-ae-2d"
try.settings.kind = "umap"
try.look_at = "nearest"
reveal = "{mnist-ae-2d[recon]:.0f} nats."

[[step]]
reveal = "A **point**: $x_{{i}}$."
why = "{mnist-ae-2d[kl_per_dim][0]:.1f} nats."
source = "Kingma & Welling (2014)"
check = ["first", "second"]

[step.predict]
question = "And now?"
answers = [
    "Yes",
    "No",
]
correct = "Yes"
misconceptions = [
    { answer = "No", belief = "It is told so.", source = "a course" },
]

[step.try]
text = "Look."
page = "sliders"
model = "mnist-cvae"
z = [30, -0.5]
seed = 4
y = 2
settings = { range = 1.5, on = true, beside = ["a", "b"] }
'''


class Setting:
    def __init__(self, expected, allows):
        self.expected, self.allows = expected, allows


PAGES = {
    "home": {},
    "map": {"kind": Setting("one of 'umap', 'pca'", lambda value: value in ("umap", "pca"))},
    "sliders": {
        "range": Setting("a number", lambda value: isinstance(value, float)),
        "on": Setting("true or false", lambda value: isinstance(value, bool)),
        "beside": Setting("a list of models", lambda value: isinstance(value, tuple)),
    },
}
PARTS = {"map": {"map": "scatter .stage", "nearest": "map_nearest"}}
FIGURES = {"mnist-ae-2d": ("recon", "kl_per_dim"), "other": ("mig",)}
PIECES = [b"[[step]]\n", b"[step]\n", b"[]", b"= 1\n", b'"""', b"{", b"}", b"nan", b"\r", b"[[" * 900, b"a." * 900]
STEPS = LESSON[LESSON.index("[[step]]") :]


@pytest.fixture
def wrong(tmp_path):
    """wrong(text) is the sentence about a file with this text, without its folder."""

    def sentence(text):
        file = tmp_path / "collapse.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        found, (problem,) = read([tmp_path], PAGES, FIGURES, PARTS)
        assert not found
        return problem.removeprefix(f"{tmp_path}{os.sep}")

    return sentence


def test_a_lesson_is_what_its_file_says(tmp_path):
    (tmp_path / "collapse.toml").write_text(LESSON, encoding="utf-8")
    lesson = read_lesson(tmp_path / "collapse.toml", PAGES, FIGURES, PARTS)
    assert (lesson.title, lesson.about, lesson.order, lesson.minutes) == ("Collapse", "When the KL wins.", 3, 5)
    first, second = lesson.steps
    assert first.predict == lessons.Prediction(
        "What is left?", ("Everything", "Nothing"), "Nothing",
        (lessons.Misconception("Everything", "Nets learn all.", "a forum"),),
    )  # fmt: skip
    assert first.try_.text == "reveal = 'no field'\n[[step]]"
    assert first.try_.link() == {"model": "mnist-ae-2d", "kind": "umap"}
    assert (first.why, first.source, first.check) == ("", "", ())
    assert (first.try_.look_at, lesson.aims, lesson.prior) == ("nearest", ("Tell a collapse",), "The ELBO.")
    assert second.predict.misconceptions == (lessons.Misconception("No", "It is told so.", "a course"),)
    assert second.explanation == "A **point**: $x_{{i}}$. {mnist-ae-2d[kl_per_dim][0]:.1f} nats."
    assert second.check == ("first", "second")
    page = {"range": "1.5", "on": "true", "beside": "a,b"}
    assert second.try_.link() == {"model": "mnist-cvae", "z": "30,-0.5", "seed": "4", "y": "2", **page}
    assert second.try_.settings_link() == page
    needed = {name for step in lesson.steps for name in lessons.step_models(step)}
    assert needed == {"mnist-ae-2d", "mnist-cvae", "a", "b"}


def test_figures_fill_placeholders():
    card = SimpleNamespace(figures={"recon": 81.36, "gaps": [0.5, 0.25]}, map={"trustworthiness": {"umap": 0.98}})
    text = "{m[recon]:.0f} {m[gaps][1]:.1%} {m[trustworthiness][umap]} $x_{{i}}$"
    assert lessons.fill_figures(text, {"m": card}) == "81 25.0% 0.98 $x_{i}$"
    for missing in ("{m[kl]}", "{other[recon]}"):
        with pytest.raises(KeyError):
            lessons.fill_figures(missing, {"m": card})


MISTAKES = {  # what is replaced in LESSON: by what, and the sentence
    "unknown field": (
        'reveal = "{mn', 'revael = "{mn',
        "line 20: unknown field 'revael' of a step; allowed are predict, try, reveal, why, source, check.",
    ),
    "unknown field of a table": (
        'correct = "Yes"', 'correct = "Yes"\nhint = 1',
        "line 35: unknown field 'hint' of 'predict'; allowed are question, answers, correct, misconceptions.",
    ),
    "unknown field of the lesson": (
        "minutes = 5", "minutes = 5\nlevel = 1",
        "line 5: unknown field 'level' of a lesson; allowed are title, about, order, minutes, aims, prior, step.",
    ),
    "missing field": ('reveal = "A', '# reveal = "A', "line 22: a step lacks the field 'reveal'."),
    "missing text": ('text = "Look."', "", "line 39: 'try' lacks the field 'text'."),
    "missing title": ('title = "Collapse"', "", "line 1: a lesson lacks the field 'title'."),
    "number for a text": ('about = "When the KL wins."', "about = 3",
        "line 2: 'about' of a lesson must be a text that is not empty."),
    "empty text": ('"Look."', '" "', "line 40: 'text' of 'try' must be a text that is not empty."),
    "text for a number": ("order = 3", "order = 'third'",
        "line 3: 'order' of a lesson must be a whole number from 0 to 2147483647."),
    "true for a number": ("minutes = 5", "minutes = true",
        "line 4: 'minutes' of a lesson must be a whole number from 1 to 600."),
    "negative seed": ("seed = 4", "seed = -4",
        "line 44: 'seed' of 'try' must be a whole number from 0 to 2147483647."),
    "a date": ("y = 2", "y = 2026-01-01", "line 45: 'y' of 'try' must be a whole number from 0 to 2147483647."),
    "z of texts": ('z = [30, -0.5]', 'z = ["30"]', "line 43: 'z' of 'try' must be a list of finite numbers."),
    "z not finite": ('z = [30, -0.5]', 'z = [inf]', "line 43: 'z' of 'try' must be a list of finite numbers."),
    "one answer": ('    "No",\n', "", "line 30: 'answers' of 'predict' must be a list of texts, 2 or more."),
    "an answer twice": ('    "No"', '    "Yes"', "line 30: 'answers' of 'predict' has 'Yes' twice."),
    "answer elsewhere": ('correct = "Yes"', 'correct = "yes"',
        "line 34: 'correct' must be one of 'answers', word for word."),
    "a table for a text": ('source = "Kingma & Welling (2014)"', "source.paper = 'x'",
        "line 25: 'source' of a step must be a text that is not empty."),
    "no steps": (STEPS, "step = []", "line 8: a lesson has one table [[step]] or more."),
    "one table step": (STEPS, "[step]", "line 8: a lesson has one table [[step]] or more."),
    "steps of texts": (STEPS, "step = ['a']", "line 8: a step must be a table."),
    "check of numbers": ('["first", "second"]', "[1]",
        "line 26: 'check' of a step must be a list of texts, 1 or more."),
    "unknown page": ('"sliders"', '"slider"', "line 41: unknown page 'slider'; there are home, map, sliders."),
    "unknown setting": ("settings.kind", "settings.kin",
        "line 18: unknown setting 'kin' of the page 'map'; it has kind."),
    "setting of a page without any": ('"map"', '"home"',
        "line 18: unknown setting 'kind' of the page 'home'; it has none."),
    "value not allowed": ('"umap"', '"tsne"', "line 18: the setting 'kind' must be one of 'umap', 'pca'."),
    "value of a wrong type": ("range = 1.5", "range = 'far'", "line 46: the setting 'range' must be a number."),
    "value of no type": ("range = 1.5", "range = [1]",
        "line 46: the setting 'range' must be a text, a number, true, false or a list of models."),
    "settings no table": ("settings = {", "settings = 1 # {", "line 46: 'settings' must be a table."),
    "figure of no card": ("[recon]", "[reckon]",
        "line 20: 'reveal' has the placeholder {mnist-ae-2d[reckon]}, and no card has a figure 'reckon'."),
    "figure of no card, in why": ("[kl_per_dim]", "[kl_dim]",
        "line 24: 'why' has the placeholder {mnist-ae-2d[kl_dim]}, and no card has a figure 'kl_dim'."),
    "placeholder without a figure": ("{mnist-ae-2d[recon]:.0f}", "{mnist-ae-2d}",
        "line 20: 'reveal' cannot be filled in: {mnist-ae-2d} does not have the form {model[figure]:format}."),
    "placeholder with an attribute": ("{mnist-ae-2d[recon]:.0f}", "{m[recon].__class__}",
        "line 20: 'reveal' cannot be filled in: {m[recon].__class__} does not have the form {model[figure]:format}."),
    "placeholder with a huge width": ("{mnist-ae-2d[recon]:.0f}", "{m[recon]:999999999}",
        "line 20: 'reveal' cannot be filled in: {m[recon]} does not have the form {model[figure]:format}."),
    "lone brace": ("{{i}}", "{i", "line 23: 'reveal' cannot be filled in: expected '}' before end of string."),
    "part of another page": ('look_at = "nearest"', 'look_at = "plane"',
        "line 19: unknown part 'plane' of the page 'map'; it has map, nearest."),
    "part of a page without any": ('y = 2', 'y = 2\nlook_at = "x"',
        "line 46: unknown part 'x' of the page 'sliders'; it has none."),
    "missing aims": ('aims = ["Tell a collapse"]\n', "", "line 1: a lesson lacks the field 'aims'."),
    "missing misconceptions": ('misconceptions = [\n    { answer = "No"', 'others = [\n    { answer = "No"',
        "line 35: unknown field 'others' of 'predict'; allowed are question, answers, correct, misconceptions."),
    "no aims": ('["Tell a collapse"]', "[]", "line 5: 'aims' of a lesson must be a list of texts, 1 or more."),
    "prior of numbers": ('"The ELBO."', "3", "line 6: 'prior' of a lesson must be a text that is not empty."),
    "misconception of the right answer": ('answer = "No"', 'answer = "Yes"',
        "line 35: 'answer' of a misconception must be a wrong answer, word for word."),
    "misconception without a source": (', source = "a course"', "",
        "line 35: a misconception lacks the field 'source'."),
    "misconceptions of texts": ('{ answer = "No", belief = "It is told so.", source = "a course" }', '"No"',
        "line 35: a misconception must be a table."),
    "wrong answer without a misconception": ('    "No",\n', '    "No",\n    "Never",\n',
        "line 36: 'misconceptions' lacks the wrong answer 'Never'."),
}  # fmt: skip


@pytest.mark.parametrize("old, new, sentence", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_file_and_line(wrong, old, new, sentence):
    assert LESSON.count(old) == 1
    assert wrong(LESSON.replace(old, new)) == f"collapse.toml, {sentence}"
    assert wrong(LESSON.replace(old, new).replace("\n", "\r\n")) == f"collapse.toml, {sentence}"


@pytest.mark.parametrize(
    "old, new, line",
    [("order = 3", "order 3", 3), ("order = 3", "order = 3\norder = 4", 4), ("settings = {", 'settings = """', 46)],
)
def test_invalid_toml_is_named_with_file_and_line(wrong, old, new, line):
    """The reason is tomllib's; it differs from one version of Python to another."""
    assert wrong(LESSON.replace(old, new)).startswith(f"collapse.toml, line {line}: the TOML is invalid (")


def test_a_step_is_not_repeated(wrong):
    second = LESSON[LESSON.index("[[step]]\nreveal") :]
    assert wrong(LESSON + "\n" + second.replace("A **point**", "Another")) == (
        "collapse.toml, line 48: step 3 repeats step 2."
    )


def test_a_file_that_is_no_text(wrong):
    assert wrong(LESSON.encode().replace(b"wins", b"w\xefns")) == "collapse.toml, line 2: the text is not UTF-8."
    assert wrong(b"# " + b"x" * 2**16) == "collapse.toml is larger than 64 KB."
    assert wrong(b"a = " + b"[" * 5000) == "collapse.toml is nested too deeply."


@given(st.integers(0, len(LESSON)), st.integers(0, 40), st.one_of(st.binary(max_size=8), st.sampled_from(PIECES)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # each example writes the file anew
def test_whatever_is_in_a_file_is_a_lesson_or_one_sentence(tmp_path, at, cut, piece):
    content = LESSON.encode()
    (tmp_path / "x.toml").write_bytes(content[:at] + piece + content[at + cut :])
    found, problems = read([tmp_path], PAGES, FIGURES)
    assert len(found) + len(problems) == 1
    assert all("\n" not in sentence and sentence.endswith(".") for sentence in problems)


def test_a_figure_of_a_model_that_is_missing_is_no_mistake(tmp_path):
    """Nor one that another card has: the card may be older. A page says so when the step is shown."""
    for key, text in {"gone": LESSON.replace("{mnist-ae-2d[recon]", "{gone[nothing]"),
            "old": LESSON.replace("{mnist-ae-2d[recon]", "{mnist-ae-2d[mig]")}.items():  # fmt: skip
        (tmp_path / f"{key}.toml").write_text(text, encoding="utf-8")
    assert read([tmp_path], PAGES, FIGURES)[0].keys() == {"gone", "old"}


def test_without_pages_and_figures_any_are_allowed(tmp_path):
    text = LESSON.replace('"map"', '"anywhere"').replace("[recon]", "[anything]")
    (tmp_path / "free.toml").write_text(text, encoding="utf-8")
    found, problems = read([tmp_path])
    assert list(found) == ["free"] and not problems
    assert found["free"].steps[0].try_.settings == {"kind": "umap"}


def test_one_mistake_leaves_the_other_lessons(tmp_path):
    """Lessons come by their order; the first folder's come before another's of the same name."""
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder, name, order in [(mine, "b", 2), (mine, "a", 9), (other, "c", 1), (other, "b", 0), (other, "d", 2)]:
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.toml").write_text(LESSON.replace("order = 3", f"order = {order}"), encoding="utf-8")
    (other / "e.toml").write_text("title = 1", encoding="utf-8")
    (other / "Not a key.toml").write_text(LESSON, encoding="utf-8")
    (other / "f.toml").mkdir()
    found, problems = read([mine, tmp_path / "missing", other], PAGES, FIGURES)
    assert [(key, lesson.order) for key, lesson in found.items()] == [("c", 1), ("b", 2), ("d", 2), ("a", 9)]
    assert problems == [
        f"{other / 'Not a key.toml'}: a lesson file's name has lower-case letters, digits and hyphens only.",
        f"{other / 'b.toml'} has the name of {mine / 'b.toml'}, which is used.",
        f"{other / 'e.toml'}, line 1: a lesson lacks the field 'about'.",
        f"{other / 'f.toml'} cannot be read: Is a directory.",
    ]


def test_shipped_lessons_are_valid_and_named_from_the_project():
    found, problems = read()
    assert not problems and len({lesson.order for lesson in found.values()}) == len(found) >= 7
    with pytest.raises(LessonError, match=r"^vae/lessons/no-such\.toml cannot be read"):
        read_lesson(lessons.FOLDER / "no-such.toml")


def test_reading_needs_the_standard_library_alone():
    """In a process whose path begins in vae/: importing vae itself may import more."""
    code = "import sys, lessons; assert lessons.read()[0]; print(*(m for m in sys.modules if m in sys.argv))"
    heavy = ["torch", "numpy", "sklearn", "scipy", "streamlit", "vae"]
    run = subprocess.run(
        [sys.executable, "-c", code, *heavy], cwd=Path(lessons.__file__).parents[1], capture_output=True,
        encoding="utf-8",
    )  # fmt: skip
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr


PLANS = """\
[[plan]]
title = "45 minutes"
minutes = 45

[[plan.part]]
minutes = 20
text = "Pairs take the first steps."
lesson = "collapse"
steps = [1, 2]

[[plan.part]]
minutes = 25
text = "Discuss."
"""


def plans(folder, text):
    folder.joinpath("collapse.toml").write_text(LESSON, encoding="utf-8")
    folder.joinpath("plans.toml").write_text(text, encoding="utf-8")
    found, problems = read([folder], PAGES, FIGURES, PARTS)
    assert list(found) == ["collapse"] and not problems  # the plans are no lesson
    return read_plans(folder / "plans.toml", found)


def test_plans_are_what_their_file_says(tmp_path):
    (plan,) = plans(tmp_path, PLANS)
    assert plan == lessons.Plan("45 minutes", 45, (
        lessons.PlanPart(20, "Pairs take the first steps.", "collapse", (1, 2)), lessons.PlanPart(25, "Discuss."),
    ))  # fmt: skip
    assert read_plans(tmp_path / "missing.toml") == []


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        ("minutes = 45", "minutes = 90", "line 3: the parts of this plan take 45 minutes, and not 90."),
        ("[1, 2]", "[3]", "line 9: 'steps' of a part must be a list of whole numbers from 1 to 2."),
        ('"collapse"', '"kl"', "line 8: unknown lesson 'kl'; there are collapse."),
        ("text = \"Discuss.\"", "", "line 11: a part of a plan lacks the field 'text'."),
        (PLANS, "", "line 1: a file of plans lacks the field 'plan'."),
        (PLANS, "plan = 3", "line 1: a file of plans has one table [[plan]] or more."),
    ],
)
def test_a_mistake_in_the_plans_is_named_with_file_and_line(tmp_path, old, new, sentence):
    with pytest.raises(LessonError) as error:
        plans(tmp_path, PLANS.replace(old, new))
    assert str(error.value) == f"{tmp_path / 'plans.toml'}, {sentence}"

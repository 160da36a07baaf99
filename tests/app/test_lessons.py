"""The lessons: links, settings and figures, what a learner does, and what a mistake in one does to the others."""

import dataclasses
import os
import urllib.parse
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import vae
from pages.components.lessons import catalogue
from pages.components.lessons.catalogue import lessons, parse_step
from pages.components.lessons.panel import step_link
from pages.components.lessons.text import to_html
from pages.components.shell import cached, parts
from vae.lessons import FOLDER, fill_figures, lesson_files, read_lesson, step_models

from .events import emit, written_link
from .test_old_links import open_link
from .test_pages import ROOT, components, payload, start

OWN = Path(__file__).parents[1] / "lessons"  # of these tests: "example" and "chosen"
LESSONS = lessons()[0]
STEPS = [(key, number) for key, lesson in LESSONS.items() for number in range(len(lesson.steps))]
CARDS = {card.name: card for card in vae.available()}
EXAMPLE, CHOSEN = (read_lesson(OWN / f"{key}.toml") for key in ("example", "chosen"))
WIDGETS = {  # of the settings whose widgets have other keys with the models of the lessons
    ("map_kind", "mnist-ae-2d"): "map_kind_dims_4", ("map_kind", "mnist-vae-16d"): "map_kind_umap_4",
    ("map_colour", "mnist-vae-16d"): "map_colour_16",
    **{("interpolate_line", name): "interpolate_line_2" for name in ("mnist-vae-16d", "mnist-ae-16d")},
    **{
        (key, name): f"{key}_row_mnist"
        for key in ("interpolate_A", "interpolate_B", "fill_image")
        for name in ("mnist-vae-16d", "mnist-ae-16d", "mnist-vqvae")
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_lessons(monkeypatch):
    """The lessons of these tests stand beside the shipped ones."""
    monkeypatch.setattr(catalogue, "FOLDERS", [FOLDER, OWN])


def link_of(key, number):
    """(page, query) of a step's link."""
    address = urllib.parse.urlsplit(step_link(key, number))
    return address.path, dict(urllib.parse.parse_qsl(address.query))


def test_all_shipped_lessons_can_be_used():
    assert lessons()[1] == [] and {path.stem for path in lesson_files(FOLDER)} == LESSONS.keys()
    assert catalogue.plans()[1] == ""


@pytest.mark.parametrize("key, number", STEPS, ids=lambda v: str(v))
def test_a_step_is_a_link_that_opens_its_page_with_its_settings(key, number):
    step = LESSONS[key].steps[number].try_
    if missing := [name for name in step_models(LESSONS[key].steps[number]) if name not in CARDS]:
        pytest.skip(f"{' and '.join(missing)}: not trained yet")
    page, query = link_of(key, number)
    assert page == step.page and parse_step(query["lesson"]) == (key, number)
    app = open_link(page, query)
    assert app.session_state.lesson == f"{key}.{number + 1}" and app.session_state.model == step.model
    assert step.z is None or app.session_state.z == step.z
    assert step.seed is None or app.session_state.seed == step.seed
    for setting, value in step.settings.items():
        held = app.session_state[WIDGETS.get((setting, step.model), setting)]
        assert held == (list(value) if isinstance(value, tuple) else value)
    assert not app.warning and not app.session_state.pending_parameters
    text = fill_figures(LESSONS[key].steps[number].explanation, CARDS)
    assert "{" not in text and "nan" not in text


def test_lessons_are_short():
    assert all(5 <= lesson.minutes <= 12 and len(lesson.steps) >= 3 for lesson in LESSONS.values())


def test_every_part_of_a_page_has_a_place():
    found = parts.registered()
    assert found["map"]["nearest"] == "map_nearest" and parts.place("map", "nearest") == "map_nearest"
    assert parts.place("sample", "") == "sample_grid" and parts.place("home", "") == parts.place("map", "no") == ""
    assert all(place and all(place.split(" ")) for own in found.values() for place in own.values())


# the panel stands on Home here, where no step is taken; whole lessons are followed in the browser


def shown(lesson, chosen=None, **query):
    """The app as a link with this lesson opens it, with an answer as if it had been chosen."""
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    app.query_params["lesson"] = lesson
    for name, value in query.items():
        app.query_params[name] = value
    if chosen is not None:
        app.session_state.lesson_steps = {lesson: {"prediction": chosen, "revealed": False}}
    app.run()
    assert not app.exception, app.exception
    return app


def press(app, key):
    """The app after a button was pressed. AppTest runs app.py only once, so a new session takes over what is kept."""
    app.button(key=key).click().run()
    assert not app.exception, app.exception
    return go_on(app)


def go_on(app):
    return open_link("home", {}, **kept(app))


def kept(app):
    names = ("lesson", "lesson_shuffle", "lesson_steps", "lesson_linked", "lessons_view", "lessons_of")
    return {name: app.session_state[name] for name in names if name in app.session_state}


def html(app):
    return " ".join(element.proto.body for element in app.get("html"))


def result(app):
    """The HTML of what Reveal shows."""
    (text,) = [element.proto.body for element in app.get("html") if 'role="status"' in element.proto.body]
    return text


def test_an_answer_can_be_changed_until_it_is_revealed():
    right, wrong = EXAMPLE.steps[0].predict.answers
    app = shown("example.1")
    assert app.radio(key="lesson_question_example_0").value is None and app.button(key="lesson_reveal").disabled
    app.radio[0].set_value(right).run()
    assert app.session_state.lesson_steps == {"example.1": {"prediction": right, "revealed": False}}
    app = shown("example.1", right)
    assert "lesson-answer" not in result(app) and not app.button(key="lesson_reveal").disabled
    app = press(shown("example.1", wrong), "lesson_reveal")
    assert not app.radio
    recon = CARDS["mnist-vae-16d"].figures["recon"]
    assert f"{recon:.1f} nats" in result(app) and "Your prediction ✗" in html(app)
    assert f"<dd>{wrong}</dd>" in html(app) and f"<dd>{right}</dd>" in html(app)
    assert app.button(key="lesson_back").disabled
    app.button(key="lesson_next").click().run()
    assert app.session_state.lesson == "example.2" and app.session_state.next_page == "pages/inside.py"


@pytest.mark.parametrize("seed", [0, 1, 7, 9999])
def test_a_link_has_the_order_of_its_answers(seed):
    app = shown("example.2", shuffle=str(seed))
    assert list(app.radio[0].options) == EXAMPLE.answers(1, seed)
    assert written_link(app)["shuffle"] == str(seed)
    assert list(shown("example.2", shuffle=str(seed)).radio[0].options) == EXAMPLE.answers(1, seed)


def test_a_reload_keeps_the_answer_and_share_leaves_it_out():
    page, query = link_of("example", 0)
    options = EXAMPLE.answers(0, 0)
    own = {"example.1": {"prediction": options[1], "revealed": False}}
    said = written_link(open_link(page, query, lesson_steps=own))
    assert said["answer"] == "2" and "answer" not in written_link(open_link(page, query))
    again = open_link(page, said, share=True)  # the popover is open
    assert again.radio[0].value == options[1] and written_link(again)["answer"] == "2"
    address = again.code[0].value
    assert "lesson=example.1" in address and "answer" not in address and "revealed" not in address
    revealed = written_link(press(again, "lesson_reveal"))
    assert (revealed["answer"], revealed["revealed"]) == ("2", "yes")
    opened = open_link(page, revealed)
    assert "lesson-answer" in result(opened)
    # someone may have sent the link: what it reveals is shown and not kept, and the step can be taken
    assert not payload(opened, "steps", "heard")["steps"] and not opened.session_state.lesson_steps
    again = press(opened, "lesson_again")
    assert again.radio[0].value is None and "answer" not in written_link(again)


def test_a_links_answer_is_kept_only_if_the_learner_reveals_it_and_his_own_has_priority():
    first, other = EXAMPLE.answers(0, 0)
    app = shown("example.1", answer="1")
    assert app.radio[0].value == first and not app.session_state.lesson_steps
    app.button(key="lesson_reveal").click().run()
    assert app.session_state.lesson_steps == {"example.1": {"prediction": first, "revealed": True}}
    app = shown("example.1", answer="1", revealed="yes")
    assert f"<dd>{first}</dd>" in html(app)
    emit(app, "lesson_progress", "kept", {"example.1": {"prediction": other, "revealed": False}})
    assert not app.exception and go_on(app).radio[0].value == other
    assert open_link("home", {"lesson": "example.1", "answer": "1"}, **kept(app)).radio[0].value == other


@pytest.mark.parametrize(
    "own, browsers, wanted",
    [
        (("The KL", False), ("The reconstruction", True), ("The reconstruction", True)),
        (("The KL", True), ("The reconstruction", True), ("The reconstruction", True)),  # the browser's is final
        (("The KL", False), ("The reconstruction", False), ("The KL", False)),
        (("The KL", True), ("The reconstruction", False), ("The KL", True)),
    ],
)  # fmt: skip
def test_an_answer_given_before_the_browsers_arrive_agrees_with_what_the_browser_keeps(own, browsers, wanted):
    def as_step(answer):
        return {"example.1": dict(zip(("prediction", "revealed"), answer, strict=True))}

    app = open_link("home", {"lesson": "example.1"}, lesson_steps=as_step(own))
    emit(app, "lesson_progress", "kept", as_step(browsers))
    assert app.session_state.lesson_steps == as_step(wanted)


def test_what_the_browser_has_kept_comes_back_and_nothing_else_does():
    right, wrong = EXAMPLE.steps[0].predict.answers
    app = shown("example.1")
    emit(app, "lesson_progress", "kept", {
        "example.1": {"prediction": wrong, "revealed": False},
        "example.2": {"prediction": "Not at all", "revealed": True},
        "example.3": {"prediction": "<script>", "revealed": True}, "other.1": {"prediction": "x", "revealed": True},
        "example.4": ["x"],
    })  # fmt: skip
    assert not app.exception and app.session_state.lesson_steps.keys() == {"example.1", "example.2"}
    app = go_on(app)
    assert app.radio[0].value == wrong
    app = press(app, "lesson_next")
    assert "Your prediction ✓" in html(app) and not app.radio
    for strange in (None, [], "x", {"example.1": None}):
        app = shown("example.1")
        emit(app, "lesson_progress", "kept", strange)
        assert not app.exception and go_on(app).radio[0].value is None


def test_a_text_is_html_in_which_nothing_but_bold_and_emphasis_is_markup():
    assert to_html("**Two** <b> & *one*: 2 * 3") == "<strong>Two</strong> &lt;b&gt; &amp; <em>one</em>: 2 * 3"


def test_a_step_may_be_left_and_found_again():
    app = shown("example.1")
    app.button(key="lesson_there").click().run()
    assert not app.exception and app.session_state.lesson == "example.1"
    assert app.session_state.next_page == "pages/inside.py"
    app = shown("example.2")
    app.button(key="lesson_leave").click().run()
    assert app.session_state.lesson == ""
    app = shown("example.4")
    app.button(key="lesson_end").click().run()
    assert app.session_state.next_page == "pages/lessons.py" and not app.session_state.lesson
    assert (app.session_state.lessons_view, app.session_state.lessons_of) == ("report", "example")


@pytest.mark.parametrize(
    "number, widget, other, wanted",
    [
        (0, "compare_given", "one z", "one image"), (1, "map_kind_umap_4", "pca", "umap"),
        (2, "fill_image_choice", "own", "row"), (4, "use", "memory", "denoising"),
    ],
)  # fmt: skip
def test_a_step_sets_what_a_learner_has_chosen_before_and_he_may_change_it(number, widget, other, wanted):
    page, query = link_of("chosen", number)
    old_link = {k: v for k, v in query.items() if k not in CHOSEN.steps[number].try_.settings}
    for link in (query, old_link):  # links that were sent before settings were part of them
        app = open_link(page, link, **{widget: other})
        assert app.session_state[widget] == wanted
    app.session_state[widget] = other
    app.run()
    assert app.session_state[widget] == other


def test_a_links_own_setting_has_priority_over_its_lesson():
    page, query = link_of("chosen", 1)
    assert open_link(page, query | {"map_kind": "pca"}).session_state["map_kind_umap_4"] == "pca"


def test_the_button_of_a_step_brings_its_settings():
    app = open_link("uses", link_of("chosen", 2)[1])
    assert app.session_state.fill_hidden == "lower half"
    app.button(key="lesson_next").click().run()
    assert not app.exception and app.session_state.lesson == "chosen.4"
    assert app.session_state.fill_hidden == "everything"


def break_lesson(folder, old, new):
    """Write a folder with "chosen" as it is and "example" with a mistake."""
    for key in ("chosen", "example"):
        text = (OWN / f"{key}.toml").read_text(encoding="utf-8")
        (folder / f"{key}.toml").write_text(text.replace(old, new) if key == "example" else text, encoding="utf-8")


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        ("minutes = 8", "minutes = 8\nlevel = 1",
            "example.toml, line 5: unknown field 'level' of a lesson; allowed are title, about, order, minutes, aims, "
            "prior, step."),
        ('try.page = "compare"', 'try.page = "outside"', "unknown page 'outside'; there are compare, disentangle,"),
        ('try.page = "compare"', 'try.page = "compare"\ntry.settings.compare_share = 101',
            "the setting 'compare_share' must be a whole number from 0 to 100."),
        ("{mnist-beta4[kl]", "{mnist-beta4[lk]",
            "'reveal' has the placeholder {mnist-beta4[lk]}, and no card has a figure 'lk'."),
        ('look_at = "rate"', 'look_at = "samples"',
            "unknown part 'samples' of the page 'inside'; it has steps, input,"),
    ],
)  # fmt: skip
def test_a_lesson_with_a_mistake_is_left_out_and_named(tmp_path, monkeypatch, old, new, sentence):
    break_lesson(tmp_path, old, new)
    monkeypatch.setattr(catalogue, "FOLDERS", [tmp_path])
    app = start("lessons")
    (warning,) = [warning.value for warning in app.warning]
    assert warning.startswith(f"{tmp_path}{os.sep}example.toml, line ") and sentence in warning
    assert not app.button(key="begin_chosen").disabled and len(app.header) == 1
    app = shown("example.1")
    assert any("lesson in this link does not exist" in warning.value for warning in app.warning)
    assert shown("chosen.1").radio


def test_a_lesson_is_read_again_after_its_file_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "FOLDERS", [tmp_path])
    break_lesson(tmp_path, "minutes", "minuets")
    app = shown("chosen.1")
    assert lessons()[0].keys() == {"chosen"} and app.radio
    (tmp_path / "chosen.toml").unlink()
    (tmp_path / "example.toml").write_bytes((OWN / "example.toml").read_bytes())
    assert lessons()[0].keys() == {"example"} and not lessons()[1]
    app.run()  # in the middle of a lesson that is gone
    assert not app.exception and not app.radio


def test_a_mistake_in_the_plans_is_named(tmp_path, monkeypatch):
    (tmp_path / "plans.toml").write_text("[[plan]]\ntitle = 'x'\nminutes = 45\n", encoding="utf-8")
    monkeypatch.setattr(catalogue, "FOLDERS", [OWN, tmp_path])
    app = start("lessons", lessons_view="teacher")
    assert [warning.value for warning in app.warning] == [
        f"{tmp_path / 'plans.toml'}, line 1: a plan lacks the field 'part'."
    ]


@pytest.mark.parametrize(
    "wrong, query, what",
    [
        ("example.9", {}, "step"), ("example.0", {}, "step"), ("example", {}, "step"), ("EXAMPLE.x", {}, "step"),
        ("example.2", {"shuffle": "10000"}, "order of answers"), ("example.2", {"shuffle": "-1"}, "order of answers"),
        ("example.2", {"shuffle": "x"}, "order of answers"), ("example.2", {"answer": "9"}, "answer"),
        ("example.2", {"answer": "0"}, "answer"), ("example.2", {"answer": "<b>"}, "answer"),
    ],
)  # fmt: skip
def test_a_link_that_cannot_be_used_is_the_lessons_start_and_one_sentence(wrong, query, what):
    app = shown(wrong, **query)
    assert [warning.value for warning in app.warning] == [
        f"The {what} in this link does not exist in *{EXAMPLE.title}*. The lesson starts at step 1."
    ]
    assert app.session_state.lesson == "example.1" and app.radio[0].value is None


def test_a_lesson_that_does_not_exist_is_one_sentence():
    for wrong in ("nothing.1", "<b>.1"):
        app = shown(wrong)
        assert any("lesson in this link does not exist" in w.value for w in app.warning)
        assert app.session_state.lesson == "" and not app.radio
    assert parse_step("example.1") == ("example", 0) and parse_step("example.٣") is None


def test_the_list_begins_each_lesson_and_says_what_is_done():
    app = start("lessons")
    for key, lesson in LESSONS.items():
        assert not app.button(key=f"begin_{key}").disabled
        assert any(step_link(key, len(lesson.steps) - 1) in m.value for m in app.markdown)
    assert not any("done" in c.value for c in app.caption)
    app.button(key="begin_example").click().run()
    assert not app.exception and app.session_state.lesson == "example.1" and app.session_state.model == "mnist-vae-16d"
    app = start("lessons")
    emit(app, "lesson_progress", "kept", {"example.1": {"prediction": "The KL", "revealed": True}})
    assert any("4 steps, 1 done" in c.value for c in app.caption)
    app.button(key="continue_example").click().run()
    assert app.session_state.lesson == "example.2"
    app = start("lessons")
    emit(app, "lesson_progress", "kept", {"example.1": {"prediction": "The KL", "revealed": True}})
    emit(app, "lesson_progress", "forgot", True)
    assert not app.session_state.lesson_steps and not any("done" in c.value for c in app.caption)


@pytest.mark.parametrize("view", ["list", "report", "teacher"])
def test_a_step_stands_above_the_lessons(view):
    app = open_link("lessons", {"lessons_view": view}, lesson="example.1")
    assert app.button(key="lesson_there").label == "Go to Inside for this step" and app.radio


def test_a_missing_model_is_named_and_the_other_steps_go_on(monkeypatch):
    without = {name: card for name, card in cached.zoo_scan()[0].items() if name != "mnist-beta4"}
    monkeypatch.setattr(cached, "zoo_scan", lambda: (without, {}))
    app = shown("example.3", EXAMPLE.steps[2].predict.answers[0])
    assert "This step needs the model mnist-beta4, which is not installed." in html(app)
    app = press(app, "lesson_reveal")
    assert "A figure that this step needs is not available." in result(app)
    app = press(shown("example.1", "The KL"), "lesson_reveal")
    assert "not installed" not in html(app) and "nats" in result(app)
    app = start("lessons")
    assert any(c.value == "Step 3 needs a model that is not installed: mnist-beta4." for c in app.caption)
    assert not app.button(key="begin_example").disabled


def test_a_card_that_is_not_as_it_should_be_stops_no_lesson_that_does_not_need_it():
    text = EXAMPLE.steps[0].explanation
    broken = CARDS | {"rooms-ae": dataclasses.replace(CARDS["rooms-ae"], map=None)}
    assert fill_figures(text, broken) == fill_figures(text, CARDS)
    for figures in ({"recon": "text"}, {"recon": [1]}, {}):
        broken = CARDS | {"mnist-vae-16d": dataclasses.replace(CARDS["mnist-vae-16d"], figures=figures)}
        with pytest.raises((KeyError, ValueError, TypeError)):
            fill_figures(text, broken)


def test_what_a_lesson_needs():
    needed = {name for step in EXAMPLE.steps for name in step_models(step)}
    assert needed == {"mnist-ae-16d", "mnist-vae-16d", "mnist-beta4", "mnist-collapsed"}
    assert all(set(step_models(step)) <= CARDS.keys() for lesson in LESSONS.values() for step in lesson.steps)


# ---- what a teacher prints, and what a learner hands in


def test_a_sheet_has_the_questions_in_the_links_order_and_no_answer():
    app = start("lessons", lessons_view="sheet", lessons_of="example", lessons_shuffle="3")
    text = html(app)
    for number, step in enumerate(EXAMPLE.steps):
        places = [text.index(f"☐ {answer}") for answer in EXAMPLE.answers(number, 3)]
        assert places == sorted(places) and step.predict.question in text
    assert "☑" not in text and "nats in" not in text
    app.button(key="paper_begin").click().run()
    assert app.session_state.lesson == "example.1" and app.session_state.lesson_shuffle == 3


def test_a_teachers_page_has_aims_answers_and_what_wrong_answers_show(monkeypatch):
    app = start("lessons", lessons_view="teacher", lessons_of="example")
    text = html(app)
    assert all(aim in text for aim in EXAMPLE.aims) and EXAMPLE.prior in text and "8 minutes, 4 steps" in text
    assert text.count("☑") == 4 and "It stands last in the sum." in text and "a course" in text
    assert f"{CARDS['mnist-vae-16d'].figures['recon']:.1f} nats" in text


@pytest.mark.parametrize("view", ["sheet", "teacher", "report"])
def test_a_link_to_a_view_of_a_lesson_that_does_not_exist_is_one_sentence(view):
    app = start("lessons", lessons_view=view, lessons_of="<b>nothing")
    assert [w.value for w in app.warning] == ["The lesson in this link does not exist."] and not app.exception


def test_a_report_has_the_session_and_its_questions():
    app = press(shown("example.4", EXAMPLE.steps[3].predict.correct), "lesson_reveal")
    app.button(key="lesson_end").click().run()
    app = open_link("lessons", {}, **kept(app))
    (data,) = [one for one in components(app).values() if "lessons" in one]
    assert data["of"] == "example" and data["steps"]["example.4"]["revealed"]
    (lesson,) = [one for one in data["lessons"] if one["key"] == "example"]
    assert [step["result"] for step in lesson["steps"]] == [step.predict.correct for step in EXAMPLE.steps]
    assert written_link(app)["lessons_view"] == "report"

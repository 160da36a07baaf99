"""The lessons: their links, settings and figures, and what a mistake in one does to the others."""

import dataclasses
import os
import urllib.parse

import pytest
from streamlit.testing.v1 import AppTest

import vae
from pages.components.lessons import catalogue
from pages.components.lessons.catalogue import lessons, parse_step
from pages.components.lessons.panel import step_link
from pages.components.lessons.text import to_html
from pages.components.shell import cached
from vae.lessons import FOLDER, fill_figures, required_models

from .events import written_link
from .test_old_links import open_link
from .test_pages import ROOT, start

LESSONS = lessons()[0]
STEPS = [(key, number) for key, lesson in LESSONS.items() for number in range(len(lesson.steps))]
CARDS = {card.name: card for card in vae.available()}
WIDGETS = {  # of the settings whose widgets have other keys with the models of the lessons
    ("map_kind", "mnist-ae-2d"): "map_kind_dims_4", ("map_kind", "mnist-vae-16d"): "map_kind_umap_4",
    ("interpolate_line", "mnist-vae-16d"): "interpolate_line_2",
    **{(key, "mnist-vae-16d"): f"{key}_row_mnist" for key in ("interpolate_A", "interpolate_B", "fill_image")},
}  # fmt: skip


def link_of(key, number):
    """(page, query) of a step's link."""
    address = urllib.parse.urlsplit(step_link(key, number))
    return address.path, dict(urllib.parse.parse_qsl(address.query))


def test_all_shipped_lessons_can_be_used():
    assert lessons()[1] == [] and {path.stem for path in FOLDER.glob("*.toml")} == LESSONS.keys()


@pytest.mark.parametrize("key, number", STEPS, ids=lambda v: str(v))
def test_a_step_is_a_link_that_opens_its_page_with_its_settings(key, number):
    step = LESSONS[key].steps[number].try_
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


def test_six_lessons_or_more_of_five_to_ten_minutes():
    assert len(LESSONS) >= 6
    assert all(5 <= lesson.minutes <= 10 and len(lesson.steps) >= 4 for lesson in LESSONS.values())


# the panel stands on Home here, where no step is taken; whole lessons are followed in the browser


def shown(lesson, answer=None):
    """The app as a link with this lesson opens it, with an answer as if it had been given."""
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    app.query_params["lesson"] = lesson
    if answer is not None:
        key, number = parse_step(lesson)
        app.session_state[f"lesson_{key}_{number}"] = answer
    app.run()
    assert not app.exception, app.exception
    return app


def test_a_reload_keeps_the_answer_and_share_leaves_it_out():
    page, query = link_of("kl", 0)
    options = LESSONS["kl"].steps[0].predict.answers
    kept = written_link(open_link(page, query, lesson_kl_0=options[1]))  # as if it had been given
    assert kept["answer"] == "2" and "answer" not in written_link(open_link(page, query))
    again = open_link(page, kept, share=True)  # the popover is open
    assert again.radio[0].value == options[1] and written_link(again)["answer"] == "2"
    address = again.code[0].value
    assert "lesson=kl.1" in address and "answer" not in address
    for wild in ("0", "99", "-1", "x", ""):
        assert open_link(page, kept | {"answer": wild}).radio[0].value is None


def explanation(app):
    """The HTML of what an answer reveals."""
    (text,) = [element.proto.body for element in app.get("html") if 'role="status"' in element.proto.body]
    return text


def test_a_text_is_html_in_which_nothing_but_bold_and_emphasis_is_markup():
    assert to_html("**Two** <b> & *one*: 2 * 3") == "<strong>Two</strong> &lt;b&gt; &amp; <em>one</em>: 2 * 3"


def test_the_answer_comes_after_the_question_and_the_next_step_is_another_page():
    predict = LESSONS["why"].steps[0].predict
    right, wrong = predict.answers[:2]
    assert right == predict.correct
    app = shown("why.1")
    assert app.radio(key="lesson_why_0").value is None and "lesson-answer" not in explanation(app)
    app = shown("why.1", wrong)
    assert f"<strong>Answer: {right}.</strong>" in explanation(app)
    app = shown("why.1", right)
    assert "<strong>Yes.</strong>" in explanation(app) and app.button(key="lesson_back").disabled
    app.button(key="lesson_next").click().run()
    assert not app.exception
    assert app.session_state.lesson == "why.2"
    assert app.session_state.model == "mnist-ae-16d" and app.session_state.seed == 3


def test_a_step_may_be_left_and_found_again():
    app = shown("kl.1")
    app.button(key="lesson_there").click().run()
    assert not app.exception and app.session_state.lesson == "kl.1" and app.session_state.next_page == "pages/inside.py"  # noqa: E501
    app = shown("kl.2")
    app.button(key="lesson_leave").click().run()
    assert app.session_state.lesson == ""
    app = shown(f"kl.{len(LESSONS['kl'].steps)}")
    app.button(key="lesson_end").click().run()
    assert app.session_state.next_page == "pages/lessons.py" and not app.session_state.lesson


@pytest.mark.parametrize(
    "key, number, widget, chosen, wanted",
    [
        ("kl", 2, "compare_given", "one z", "one image"), ("why", 0, "map_kind_dims_4", "pca", "dims"),
        ("walk", 0, "map_kind_umap_4", "pca", "umap"), ("use", 1, "fill_image_choice", "own", "row"),
        ("break", 3, "use", "memory", "denoising"),
    ],
)  # fmt: skip
def test_a_step_sets_what_a_learner_has_chosen_before_and_he_may_change_it(key, number, widget, chosen, wanted):
    page, query = link_of(key, number)
    old_link = {k: v for k, v in query.items() if k not in LESSONS[key].steps[number].try_.settings}
    for link in (query, old_link):  # links that were sent before settings were part of them
        app = open_link(page, link, **{widget: chosen})
        assert app.session_state[widget] == wanted
    app.session_state[widget] = chosen
    app.run()
    assert app.session_state[widget] == chosen


def test_a_links_own_setting_has_priority_over_its_lesson():
    assert open_link("map", {"model": "mnist-ae-2d", "lesson": "why.1", "map_kind": "pca"}).session_state[
        "map_kind_dims_4"
    ] == "pca"


def test_the_button_of_a_step_brings_its_settings():
    app = open_link("uses", link_of("use", 0)[1])
    assert app.session_state.fill_hidden == "lower half"
    app.button(key="lesson_next").click().run()
    assert not app.exception and app.session_state.lesson == "use.2"
    assert app.session_state.fill_hidden == "everything"


def break_lesson(folder, old, new):
    """Write a folder with "kl" as it is and "bound" with a mistake."""
    for key in ("kl", "bound"):
        text = (FOLDER / f"{key}.toml").read_text(encoding="utf-8")
        (folder / f"{key}.toml").write_text(text.replace(old, new) if key == "bound" else text, encoding="utf-8")


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        ("minutes = 8", "minutes = 8\nlevel = 1",
            "bound.toml, line 5: unknown field 'level' of a lesson; allowed are title, about, order, minutes, step."),
        ('try.page = "inside"', 'try.page = "outside"',
            "bound.toml, line 13: unknown page 'outside'; there are compare, disentangle, glossary, home, inside, "
            "interpolate, lessons, map, match, sample, sliders, train, uses."),
        ('try.page = "inside"', 'try.page = "sample"\ntry.settings.sample_count = 17',
            "bound.toml, line 14: the setting 'sample_count' must be one of 16, 36, 64, 100."),
        ("{mnist-iaf[nll]", "{mnist-iaf[nnl]",
            "bound.toml, line 33: 'reveal' has the placeholder {mnist-iaf[nnl]}, and no card has a figure 'nnl'."),
    ],
)  # fmt: skip
def test_a_lesson_with_a_mistake_is_left_out_and_named(tmp_path, monkeypatch, old, new, sentence):
    break_lesson(tmp_path, old, new)
    monkeypatch.setattr(catalogue, "FOLDERS", [tmp_path])
    app = start("lessons")
    assert [warning.value for warning in app.warning] == [f"{tmp_path}{os.sep}{sentence}"]
    assert not app.button(key="begin_kl").disabled and len(app.header) == 1
    app = shown("bound.1")
    assert any("lesson in this link does not exist" in warning.value for warning in app.warning)
    assert shown("kl.1").radio


def test_a_lesson_is_read_again_after_its_file_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "FOLDERS", [tmp_path])
    break_lesson(tmp_path, "minutes", "minuets")
    app = shown("kl.1")
    assert lessons()[0].keys() == {"kl"} and app.radio
    (tmp_path / "kl.toml").unlink()
    (tmp_path / "bound.toml").write_bytes((FOLDER / "bound.toml").read_bytes())
    assert lessons()[0].keys() == {"bound"} and not lessons()[1]
    app.run()  # in the middle of a lesson that is gone
    assert not app.exception and not app.radio


def test_a_step_that_does_not_exist_is_told():
    for wrong in ("nothing.1", "<b>.1"):
        app = shown(wrong)
        assert any("lesson in this link does not exist" in w.value for w in app.warning)
        assert app.session_state.lesson == "" and not app.radio
    lesson = lessons()[0]["why"]
    for wrong in ("why.9", "why.0", "why", "WHY.x"):
        app = shown(wrong)
        (warning,) = app.warning
        assert f"*{lesson.title}* has {len(lesson.steps)} steps" in warning.value
        assert app.session_state.lesson == "why.1" and app.radio
    assert parse_step("why.1") == ("why", 0) and parse_step("why.٣") is None


def test_the_list_begins_each_lesson():
    app = start("lessons")
    for key, lesson in LESSONS.items():
        assert not app.button(key=f"begin_{key}").disabled
        assert any(step_link(key, len(lesson.steps) - 1) in m.value for m in app.markdown)
    app.button(key="begin_bound").click().run()
    assert not app.exception and app.session_state.lesson == "bound.1" and app.session_state.model == "mnist-vae-bin"


def test_a_missing_model_is_told_and_the_lesson_goes_on(monkeypatch):
    without = {name: card for name, card in cached.zoo_scan()[0].items() if name != "mnist-vae-bin"}
    monkeypatch.setattr(cached, "zoo_scan", lambda: (without, {}))
    app = shown("bound.3", LESSONS["bound"].steps[2].predict.answers[0])
    assert "needs a model that is not available" in explanation(app)


def test_a_card_that_is_not_as_it_should_be_stops_no_lesson_that_does_not_need_it():
    text = LESSONS["why"].steps[1].explanation
    broken = CARDS | {"rooms-ae": dataclasses.replace(CARDS["rooms-ae"], map=None)}
    assert fill_figures(text, broken) == fill_figures(text, CARDS)
    for figures in ({"recon": "text"}, {"recon": [1]}, {}):
        broken = CARDS | {"mnist-ae-16d": dataclasses.replace(CARDS["mnist-ae-16d"], figures=figures)}
        with pytest.raises((KeyError, ValueError, TypeError)):
            fill_figures(text, broken)


def test_what_a_lesson_needs():
    assert required_models(LESSONS["kl"]) == {"mnist-ae-16d", "mnist-vae-16d", "mnist-beta4", "mnist-collapsed"}
    assert {"sprites-beta16", "sprites-beta2", "sprites-btcvae"} <= required_models(LESSONS["factors"])
    assert all(required_models(lesson) <= CARDS.keys() for lesson in LESSONS.values())

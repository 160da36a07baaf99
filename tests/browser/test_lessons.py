"""Every lesson, taken from its first step to its summary as a learner would, by keyboard and by touch."""

import json
import re

import pytest
from playwright.sync_api import expect

from pages.components.lessons.catalogue import lessons
from pages.components.lessons.panel import step_link

from ..benchmarks.network import delaying_proxy
from ..long import some_long
from .app_server import assert_fits, settle, watch
from .layout import SCREENS
from .lesson_views import look
from .panel import until
from .translation import translate

LESSONS = lessons()[0]
PLACES = [(key, screen) for key in LESSONS for screen in SCREENS]
SHORT = min(LESSONS, key=lambda key: len(LESSONS[key].steps))  # one stands for all on every run
TITLES = {"uses": "Uses", "inside": "Inside", "sample": "Sample", "map": "Map", "match": "Match"}


def at_step(page, key, number):
    """Wait until a step's page stands there."""
    step = LESSONS[key].steps[number]
    opened = step.try_.page
    page.wait_for_url(re.compile(rf"/{opened}\?.*lesson={key}\.{number + 1}"), timeout=60_000)
    title = TITLES.get(opened, opened.capitalize())
    page.locator("h1", has_text=title).wait_for(state="attached", timeout=60_000)  # a phone hides it during a lesson
    settle(page)
    expect(page.locator(".st-key-lesson")).to_contain_text(f"step {number + 1} of {len(LESSONS[key].steps)}")
    assert f"model={step.try_.model}" in page.url


class Keyboard:
    """Answers and presses buttons with keys alone."""

    def __init__(self, page):
        self.page = page

    def answer(self, text):
        radios = self.page.locator(".st-key-lesson [role=radiogroup] input")
        radios.first.wait_for(state="attached")
        wanted = self.page.locator(".st-key-lesson [role=radiogroup] label").all_inner_texts().index(text)
        radios.first.focus()
        self.page.keyboard.press("Space")
        for _ in range(wanted):
            self.page.keyboard.press("ArrowDown")
        until(self.page, lambda: radios.nth(wanted).is_checked())
        settle(self.page)

    def press(self, key):
        button = self.page.locator(f".st-key-{key} button")
        expect(button).to_be_enabled()
        button.focus()
        self.page.keyboard.press("Enter")


class Touch:
    """Answers and presses buttons with a finger."""

    def __init__(self, page):
        self.page = page

    def answer(self, text):
        self.page.locator(".st-key-lesson [role=radiogroup]").get_by_text(text, exact=True).tap()
        settle(self.page)

    def press(self, key):
        button = self.page.locator(f".st-key-{key} button")
        expect(button).to_be_enabled()
        button.tap()


HANDS = {"desk": Keyboard, "phone": Touch}


def reveal(page, hand, step, answer):
    """Give an answer, see the result, and check what the panel says."""
    hand.answer(answer)
    expect(page.locator(".st-key-lesson .lesson-answer")).to_have_count(0)
    hand.press("lesson_reveal")
    expect(page.locator(".st-key-lesson .lesson-answer")).to_have_count(1)
    settle(page)
    expect(page.locator(".lesson-result dd")).to_have_text([answer, step.predict.correct])
    sign = "✓" if answer == step.predict.correct else "✗"
    expect(page.locator(".lesson-result dt").first).to_have_text(f"Your prediction {sign}")


def take(page, address, key, hand, steps):
    """Take a lesson's first steps, with right and wrong answers, a reload in the middle, and a way back."""
    given = []
    page.goto(f"{address}/lessons")
    page.locator(f".st-key-begin_{key} button").wait_for(timeout=60_000)
    settle(page)
    hand.press(f"begin_{key}")
    for number, step in enumerate(LESSONS[key].steps[:steps]):
        at_step(page, key, number)
        views = look(page, key, number)
        assert not views.problems, (key, number + 1, views)
        wrong = next(answer for answer in step.predict.answers if answer != step.predict.correct)
        given.append(step.predict.correct if number % 2 else wrong)
        hand.answer(next(answer for answer in step.predict.answers if answer != given[-1]))  # changed at once
        reveal(page, hand, step, given[-1])
        if number == 0:
            page.reload()
            at_step(page, key, number)
            expect(page.locator(".lesson-result dd")).to_have_text([given[0], step.predict.correct])
        elif number == 1:
            page.go_back()
            at_step(page, key, 0)
            expect(page.locator(".lesson-result dd").first).to_have_text(given[0])
            page.go_forward()
            at_step(page, key, 1)
            expect(page.locator(".lesson-result dd").first).to_have_text(given[1])
        assert not page.locator("[data-testid=stException]").count()
        expect(page.locator("[data-testid=stAlert]")).to_have_count(0)
        hand.press("lesson_next" if number + 1 < len(LESSONS[key].steps) else "lesson_end")
    return given


@pytest.mark.slow
@pytest.mark.parametrize("key, screen", some_long(PLACES, PLACES[::9]))
def test_a_lesson_is_taken_to_its_summary(browser, address, key, screen):
    context = browser.new_context(**SCREENS[screen])
    page = context.new_page()
    errors = watch(page)
    steps = LESSONS[key].steps
    given = take(page, address, key, HANDS[screen](page), len(steps))
    page.locator("h1", has_text="Lessons").wait_for()
    report = page.locator(".st-key-lesson_report")
    right = sum(answer == step.predict.correct for answer, step in zip(given, steps, strict=True))
    expect(report).to_contain_text(f"{right} of {len(steps)} predictions were right.")
    shown = [text for answer, step in zip(given, steps, strict=True) for text in (answer, step.predict.correct)]
    expect(report.locator("dd")).to_have_text(shown)
    assert "lesson=" not in page.url
    assert_fits(page)
    assert not errors
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("screen", ["phone"])
def test_the_first_steps_of_a_lesson_on_a_phone(browser, address, screen):
    """The essence of the test above, on every run. The panel is a sheet at the bottom, which folds."""
    context = browser.new_context(**SCREENS[screen])
    page = context.new_page()
    errors = watch(page)
    sheet, action = page.locator(".st-key-lesson"), page.locator(".st-key-lesson_fold button")
    take(page, address, SHORT, Touch(page), 1)
    at_step(page, SHORT, 1)
    assert sheet.bounding_box()["y"] >= 844 / 2
    action.tap()
    expect(action).to_have_attribute("aria-expanded", "false")
    assert sheet.bounding_box()["height"] < 80 and f"2 of {len(LESSONS[SHORT].steps)}" in action.inner_text()
    expect(page.locator("h1")).to_be_visible()
    for button in sheet.locator("button:visible").all():
        box = button.bounding_box()
        assert box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= 390
    sheet.get_by_role("button", name="Back").tap()
    at_step(page, SHORT, 0)
    expect(action).to_have_attribute("aria-expanded", "true")  # a new step is read before it is tried
    page.locator(".st-key-lesson_leave button").tap()
    page.wait_for_function("() => !location.search.includes('lesson')")
    expect(sheet).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390 and not errors
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("key, screen", some_long(PLACES, PLACES[::5]))
def test_question_and_picture_are_on_one_screen(browser, address, key, screen):
    """Also for someone whom a teacher's link brings to a step."""
    context = browser.new_context(**SCREENS[screen])
    page = context.new_page()
    problems = []
    for number in range(len(LESSONS[key].steps)):
        page.goto(f"{address}/{step_link(key, number)}")
        page.locator(".st-key-lesson").wait_for(timeout=60_000)
        problems += [f"step {number + 1}: {problem}" for problem in look(page, key, number).problems]
    assert not problems, "\n".join(problems)
    context.close()


@pytest.mark.slow
def test_a_translated_lesson_shows_the_text_of_each_step(page, address):
    """Chromium's translation replaces text nodes, which React's updates then miss."""
    page.goto(f"{address}/lessons")
    page.locator(f".st-key-begin_{SHORT} button").wait_for(timeout=60_000)
    settle(page)
    translate(page)
    page.locator(f".st-key-begin_{SHORT} button").click()
    panel, hand = page.locator(".st-key-lesson"), Keyboard(page)
    for number, step in enumerate(LESSONS[SHORT].steps):
        at_step(page, SHORT, number)
        assert panel.locator("font").count() > 5
        expect(panel).to_contain_text(step.predict.question)
        texts = [re.sub(r"[*]", "", text).split("{")[0].strip() for text in (step.try_.text, step.reveal)]
        expect(panel).to_contain_text(texts[0])
        hand.answer(step.predict.answers[0])
        hand.press("lesson_reveal")
        expect(panel.locator(".lesson-answer")).to_contain_text(texts[1])
        settle(page)
        expect(page.locator("[data-testid=stException], [data-testid=stErrorElementContainer]")).to_have_count(0)
        assert not page.get_by_text("NotFoundError").count()
        page.locator(".st-key-lesson_next button, .st-key-lesson_end button").click()
    page.locator("h1", has_text="Lessons").wait_for()


@pytest.mark.slow
def test_a_step_reset_and_answered_at_once_keeps_its_link(browser, address):
    """Opening a page empties the URL; a request that left before that was heard of speaks of the old one."""
    with delaying_proxy(address, 0.1) as slow:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(f"{slow}/{step_link(SHORT, 1)}")
        at_step(page, SHORT, 1)
        page.get_by_role("button", name="Reset step").click()
        page.locator(".st-key-lesson [role=radiogroup] label").first.click()
        page.locator(".st-key-lesson_reveal button:enabled").wait_for()  # both runs have been answered
        settle(page)
        until(page, lambda: f"lesson={SHORT}.2" in page.url and "answer=1" in page.url)
        context.close()


# ---- what the browser keeps, and the report


KEPT = {
    "steps": {f"{SHORT}.1": {"prediction": LESSONS[SHORT].steps[0].predict.correct, "revealed": True}},
    "sentences": {f"{SHORT}.1": "Because <img src=x onerror=alert(1)> it does."},
}


def test_progress_survives_a_new_visit_and_can_be_forgotten(browser, address):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors = watch(page)
    context.add_init_script(f"""localStorage.getItem('visited') ?? (localStorage.setItem('visited', '1'),
        localStorage.setItem('latent-space-explorer-lessons', {json.dumps(json.dumps(KEPT))}))""")
    page.goto(f"{address}/lessons")
    card = page.locator(f".st-key-lesson_card_{SHORT}")
    expect(card).to_contain_text("steps, 1 done", timeout=60_000)
    settle(page)
    page.get_by_role("button", name="Forget my progress").click()
    page.get_by_role("button", name="Forget all predictions and sentences?").click()
    expect(card).not_to_contain_text("done", timeout=60_000)
    assert page.evaluate("localStorage.getItem('latent-space-explorer-lessons')") is None
    page.reload()
    card.wait_for(timeout=60_000)
    settle(page)
    expect(card).not_to_contain_text("done")
    assert not errors
    context.close()


@pytest.mark.slow
def test_a_links_answer_is_shown_and_not_kept_until_the_learner_reveals_it(browser, address):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    kept = "JSON.parse(localStorage.getItem('latent-space-explorer-lessons'))?.steps ?? {}"
    page.goto(f"{address}/{step_link(SHORT, 0)}&answer=1&revealed=yes")
    at_step(page, SHORT, 0)
    expect(page.locator(".st-key-lesson .lesson-answer")).to_have_count(1)
    assert page.evaluate(kept) == {}
    page.get_by_role("button", name="Reset step").click()
    expect(page.locator(".st-key-lesson_reveal button")).to_be_disabled()
    reveal(page, Keyboard(page), LESSONS[SHORT].steps[0], LESSONS[SHORT].steps[0].predict.correct)
    until(page, lambda: page.evaluate(kept) == KEPT["steps"])
    context.close()


def test_a_report_is_written_saved_and_opened_again(browser, address, tmp_path):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors = watch(page)
    bookmarks = [{"name": "seven", "link": "sliders?model=mnist-vae-2d&z=1,1"}]
    context.add_init_script(f"""
        localStorage.setItem('latent-space-explorer-lessons', {json.dumps(json.dumps(KEPT))});
        localStorage.setItem('latent-space-explorer-bookmarks', {json.dumps(json.dumps(bookmarks))})""")
    page.goto(f"{address}/lessons?lessons_view=report")
    report = page.locator(".st-key-lesson_report")
    expect(report).to_contain_text("1 of 1 predictions were right.", timeout=60_000)
    settle(page)
    field = report.locator("textarea").nth(1)
    field.fill("My own sentence.")
    with page.expect_download() as download:
        report.get_by_role("button", name="Save report").click()
    path = download.value.path()
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved["sentences"] == KEPT["sentences"] | {f"{SHORT}.2": "My own sentence."}
    assert saved["steps"] == KEPT["steps"] and saved["bookmarks"] == bookmarks
    opened = report.locator("input[type=file]")
    opened.set_input_files(path)
    expect(report).to_contain_text("This report comes from a file.")
    expect(report.locator(".own:visible").first).to_have_text(KEPT["sentences"][f"{SHORT}.1"])  # text, not markup
    assert report.locator("img").count() == 0 and report.locator("textarea").count() == 0
    report.get_by_role("button", name="Back to my report").click()
    expect(report.locator("textarea").nth(1)).to_have_value("My own sentence.")
    (tmp_path / "bad.json").write_text('{"format": "other"}', encoding="utf-8")
    opened.set_input_files(tmp_path / "bad.json")
    expect(report.locator(".note")).to_have_text("This file is not a report of the latent-space explorer.")
    page.emulate_media(media="print")
    expect(report.get_by_role("button", name="Print")).to_be_hidden()
    expect(report.locator(".own").nth(1)).to_be_visible()
    assert not errors
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("key", some_long(LESSONS, list(LESSONS)[::4]))
def test_a_sheet_is_one_page_of_paper_and_a_teachers_page_two_at_most(page, address, key):
    question, title = LESSONS[key].steps[-1].predict.question, LESSONS[key].title
    for view, text, pages in (("sheet", question, (1,)), ("teacher", title, (1, 2))):
        page.goto(f"{address}/lessons?lessons_view={view}&lessons_of={key}")
        page.locator(".paper", has_text=text).wait_for(timeout=60_000)
        settle(page)
        for paper in ("A4", "Letter"):
            pdf = page.pdf(format=paper)
            assert len(re.findall(rb"/Type\s*/Page\b", pdf)) in pages, (view, paper)

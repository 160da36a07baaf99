"""Every lesson, followed from its first step to its last as a learner would."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from pages.components.lessons.catalogue import lessons
from pages.components.lessons.panel import step_link

from ..benchmarks.network import delaying_proxy
from .app_server import settle, watch
from .panel import in_query, until
from .test_inside import THREE, computed, draw, pass_of, picture
from .translation import translate

LESSONS = lessons()[0]
TITLES = {"uses": "Uses", "inside": "Inside", "sample": "Sample", "map": "Map", "match": "Match"}


def at_step(page, key, number):
    """Wait until a step's page stands there."""
    step = LESSONS[key].steps[number]
    opened = step.try_.page
    page.wait_for_url(re.compile(rf"/{opened}\?.*lesson={key}\.{number + 1}"), timeout=30_000)
    title = TITLES.get(opened, opened.capitalize())
    page.locator("h1", has_text=title).wait_for(state="attached", timeout=30_000)  # a phone hides it during a lesson
    settle(page)
    expect(page.locator(".st-key-lesson")).to_contain_text(f"step {number + 1} of {len(LESSONS[key].steps)}")
    assert f"model={step.try_.model}" in page.url


def answer(page, step, choice):
    page.locator(".st-key-lesson [role=radiogroup]").get_by_text(step.predict.answers[choice], exact=True).click()


def redraw(page):
    """why.4: z jumps, mu and sigma stay."""
    n = computed(page)
    before = pass_of(page)
    page.get_by_role("button", name="Sample ε again").click()
    computed(page, n)
    after = pass_of(page)
    assert before["mu"] == after["mu"] and before["sigma"] == after["sigma"] and before["z"] != after["z"]


def slide(page):
    """kl.2: a number with a long bar changes the picture, one without any does not."""
    computed(page)
    kl = pass_of(page)["klPerDim"]

    def changes(d):
        n, before = computed(page), picture(page, "x_hat")
        handle = page.locator(f".dim[data-dim='{d}'] input")
        handle.focus()
        for _ in range(3):
            handle.press("PageUp")
        computed(page, n)
        return float(np.abs(picture(page, "x_hat") - before).max())

    assert changes(int(np.argmax(kl))) > 0.3 > 0.1 > changes(int(np.argmin(kl)))


def draw_anything(page):
    """break.1: whatever is drawn, the same comes out."""
    n = computed(page)
    before = picture(page, "x_hat"), picture(page, "x")
    draw(page, [(60, 60), (220, 60), (220, 220), (60, 220), (60, 60)])
    computed(page, n)
    assert np.abs(picture(page, "x") - before[1]).max() > 0.5 > 0.02 > np.abs(picture(page, "x_hat") - before[0]).max()


def draw_a_digit(page):
    """why.3: the ellipse follows the pen."""
    n, before = computed(page), pass_of(page)["mu"]
    draw(page, THREE)
    computed(page, n)
    assert pass_of(page)["mu"] != before
    expect(page.locator("svg.posterior ellipse.sigma1")).to_have_count(1)


def hover(page):
    """walk.1: a place without an image shows what the model imagines there."""
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    here = lambda: page.locator(".here canvas").get_attribute("data-z")  # noqa: E731
    until(page, here)
    for part in (0.3, 0.5, 0.7):
        before = here()
        page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] * 0.5, steps=4)
        until(page, lambda: here() != before)  # noqa: B023


def leave_the_far_place(page):
    """walk.4"""
    page.get_by_role("button", name="Reset to the mean").click()
    page.wait_for_function("z => location.search.includes(z)", arg=in_query([0, 0]))


def uncover(page):
    """use.2: from everything hidden to a band."""
    shares = page.get_by_text("A classifier labels the samples")
    everything = shares.inner_text()
    page.get_by_role("radio", name="a band").or_(page.get_by_role("button", name="a band")).first.click()
    page.wait_for_function("(text) => !document.body.innerText.includes(text)", arg=everything)
    settle(page)
    assert "9" in shares.inner_text() and shares.inner_text().count("%") < everything.count("%")


TRIES = {
    ("why", 2): draw_a_digit, ("why", 3): redraw, ("kl", 1): slide, ("walk", 0): hover,
    ("walk", 3): leave_the_far_place,
    ("break", 0): draw_anything, ("use", 1): uncover,
}  # fmt: skip


# one stands for all on every run, the others where minutes may pass
@pytest.mark.parametrize("key", LESSONS)
@pytest.mark.slow
def test_a_lesson_is_followed_to_its_end(page, address, key):
    page.goto(f"{address}/lessons")
    page.locator(f".st-key-begin_{key} button").click(timeout=60_000)
    for number, step in enumerate(LESSONS[key].steps):
        at_step(page, key, number)
        panel = page.locator(".st-key-lesson")
        explanation = panel.locator(".lesson-answer")
        expect(explanation).to_have_count(0)  # not before an answer
        if (key, number) in TRIES:
            TRIES[key, number](page)
        correct = step.predict.answers.index(step.predict.correct)
        wrong = (correct + 1) % len(step.predict.answers)
        answer(page, step, wrong)
        explanation.wait_for()
        settle(page)
        expect(explanation).to_contain_text(step.predict.correct)
        answer(page, step, correct)
        panel.get_by_text("Yes.").wait_for()
        settle(page)
        assert not page.locator("[data-testid=stException]").count()
        expect(page.locator("[data-testid=stAlert]")).to_have_count(0)
        name = "Next" if number + 1 < len(LESSONS[key].steps) else "All lessons"
        panel.get_by_role("button", name=name, exact=True).click()
    page.locator("h1", has_text="Lessons").wait_for()
    page.wait_for_function("() => !location.search.includes('lesson')")


@pytest.mark.slow
def test_a_translated_lesson_shows_the_text_of_each_step(page, address):
    """Chromium's translation replaces text nodes, which React's updates then miss."""
    page.goto(f"{address}/lessons")
    page.locator(".st-key-begin_why button").wait_for(timeout=60_000)
    settle(page)
    translate(page)
    page.locator(".st-key-begin_why button").click()
    panel = page.locator(".st-key-lesson")
    for number, step in enumerate(LESSONS["why"].steps):
        at_step(page, "why", number)
        assert panel.locator("font").count() > 5
        expect(panel).to_contain_text(step.predict.question)
        texts = [re.sub(r"[*]", "", text).split("{")[0].strip() for text in (step.try_.text, step.reveal)]
        expect(panel).to_contain_text(texts[0])
        for choice in (1, 0):
            answer(page, step, choice)
            verdict = "Yes." if step.predict.answers[choice] == step.predict.correct else step.predict.correct
            expect(panel.locator(".lesson-answer")).to_contain_text(verdict)
            settle(page)
        expect(panel.locator(".lesson-answer")).to_contain_text(texts[1])
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
        page.goto(f"{slow}/{step_link('factors', 1)}")
        at_step(page, "factors", 1)
        page.get_by_role("button", name="Reset step").click()
        answer(page, LESSONS["factors"].steps[1], 0)
        page.locator(".st-key-lesson .lesson-answer").wait_for()  # both runs have been answered
        settle(page)
        until(page, lambda: "lesson=factors.2" in page.url)
        context.close()


# the highest edge of a picture in the page, where 0 is the top of the screen
PICTURE = """() => {
  const tops = [], look = (root) => root.querySelectorAll('*').forEach((element) => {
    if (element.shadowRoot) look(element.shadowRoot);
    const { top, width, height } = element.getBoundingClientRect();
    if (['CANVAS', 'IMG', 'svg'].includes(element.tagName) && Math.min(width, height) > 100) tops.push(top);
  });
  look(document.querySelector('[class*=st-key-page_]'));
  return Math.min(...tops);
}"""


@pytest.mark.slow
def test_on_a_phone_the_panel_is_a_sheet_that_folds_and_leaves_the_picture_in_view(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    errors = watch(page)
    sheet, action = page.locator(".st-key-lesson"), page.locator(".st-key-lesson_fold button")
    for key, number in (("why", 0), ("why", 2), ("factors", 0), ("factors", 4), ("kl", 0)):
        page.goto(f"{address}/{step_link(key, number)}")
        sheet.wait_for(timeout=60_000)
        settle(page)
        top = sheet.bounding_box()["y"]
        assert 844 / 2 <= top and page.evaluate(PICTURE) < top - 100, (key, number)
        expect(page.locator("h1")).to_be_hidden()  # the sheet takes its place
        answer(page, LESSONS[key].steps[number], 0)
        sheet.locator(".lesson-answer").wait_for()
        assert sheet.bounding_box()["y"] >= 844 / 2  # the explanation scrolls inside it
        explanation, buttons = sheet.locator(".lesson-answer"), page.locator(".st-key-lesson_buttons")
        until(page, lambda: explanation.bounding_box()["y"] < buttons.bounding_box()["y"] - 40)  # noqa: B023
    action.tap()
    expect(action).to_have_attribute("aria-expanded", "false")
    assert sheet.bounding_box()["height"] < 80 and "1 of 4" in action.inner_text()
    expect(page.locator("h1")).to_be_visible()
    for button in sheet.locator("button:visible").all():
        box = button.bounding_box()
        assert box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= 390
    sheet.get_by_role("button", name="Next").tap()
    page.wait_for_url(re.compile("lesson=kl.2"))
    settle(page)
    expect(action).to_have_attribute("aria-expanded", "true")  # a new step is read before it is tried
    assert page.evaluate("document.documentElement.scrollWidth") <= 390 and not errors
    context.close()


def test_a_steps_link_opens_it_for_somebody_else_and_phones_have_room(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    errors = watch(page)
    page.goto(f"{address}/{step_link('break', 1)}")
    at_step(page, "break", 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_text("AUROC 0.3").first.wait_for()
    answer(page, LESSONS["break"].steps[1], 1)
    page.get_by_text("Yes.").wait_for()
    page.get_by_role("button", name="Back", exact=True).click()
    at_step(page, "break", 0)
    page.get_by_role("button", name="Leave lesson").click()
    page.wait_for_function("() => !location.search.includes('lesson')")
    expect(page.locator(".st-key-lesson")).to_have_count(0)
    assert not errors
    context.close()

"""Back and Forward, in Chromium: each press restores page, model, z, class and lesson step in one go."""

import numpy as np
import pytest
from playwright.sync_api import expect

from pages.components.lessons.catalogue import lessons

from .app_server import settle, watch
from .panel import ROOT, drag, open_page, open_panel, released

# a lesson of four steps or more
LESSON, STEPS = next((key, one.steps) for key, one in lessons()[0].items() if len(one.steps) >= 4)


def visit(page, name):
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_function("path => location.pathname === path", arg=f"/{name.lower()}")
    settle(page)


def pick_model(page, name):
    before = page.url
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=f"· {name}").click()
    page.wait_for_function("url => location.href !== url", arg=before)
    settle(page)


def place(page):
    """What the visitor sees: the address, the heading, the model, and the picture of z where the page has one."""
    settle(page)
    picture = page.evaluate(
        f"""() => {{ const canvas = {ROOT}?.querySelector('canvas.picture');
          return canvas ? [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data] : [] }}"""
    )
    title = page.locator("h1").first.inner_text()
    model = page.get_by_role("combobox", name="Model")
    lesson = page.locator(".st-key-lesson").inner_text() if page.locator(".st-key-lesson").count() else ""
    return page.url, title, model.input_value() if model.count() else "", lesson, picture


def same(page, expected):
    """Wait until the page shows a place again."""
    url, title, model, lesson, picture = expected
    page.wait_for_function("url => location.href === url", arg=url, timeout=60_000)
    expect(page.locator("h1").first).to_have_text(title, timeout=60_000)
    now = place(page)
    assert now[:4] == (url, title, model, lesson)
    assert len(now[4]) == len(picture) and np.abs(np.subtract(now[4], picture)).max(initial=0) <= 1


def go(page, steps):
    page.evaluate("steps => history.go(steps)", steps)


def walk_back_and_forth(page, places):
    for expected in reversed(places[:-1]):
        go(page, -1)
        same(page, expected)
    for expected in places[1:]:
        go(page, 1)
        same(page, expected)


def test_back_and_forward_restore_page_and_z(page, address):
    open_panel(page, address, model="mnist-vae-2d", z="0.5,-0.5")
    drag(page, "mnist-vae-2d")
    page.mouse.up()
    released(page)
    places = [place(page)]
    visit(page, "Glossary")
    places.append(place(page))
    walk_back_and_forth(page, places)


@pytest.mark.slow
def test_ten_steps_back_and_forward(page, address):
    open_panel(page, address, model="mnist-vae-2d", z="0.5,-0.5")
    places = [place(page)]

    def step(act, *args):
        length = page.evaluate("history.length")
        act(page, *args)
        assert page.evaluate("history.length") == length + 1
        places.append(place(page))

    def move(page):
        """Replace the entry: moving z adds none."""
        length = page.evaluate("history.length")
        drag(page, "mnist-vae-2d")
        page.mouse.up()
        released(page)
        assert page.evaluate("history.length") == length
        places[-1] = place(page)

    move(page)
    for act, name in (
        (visit, "Map"), (visit, "Sample"), (pick_model, "mnist-cvae"), (visit, "Interpolate"),
        (visit, "Sliders"), (pick_model, "mnist-vae-16d"), (visit, "Compare"), (visit, "Sliders"),
        (visit, "Inside"), (visit, "Lessons"),
    ):  # fmt: skip
        step(act, name)
    assert len(places) == 11
    walk_back_and_forth(page, places)


@pytest.mark.slow
def test_a_lesson_goes_back_step_by_step(page, address):
    open_page(page, address, "lessons")
    places = [place(page)]
    page.locator(f".st-key-begin_{LESSON} button").click()
    for number in range(1, 4):
        page.wait_for_function("step => location.search.includes(`lesson=${step}`)", arg=f"{LESSON}.{number}")
        settle(page)
        places.append(place(page))
        page.locator(".st-key-lesson_next button").click()
    page.wait_for_function("step => location.search.includes(`lesson=${step}`)", arg=f"{LESSON}.4")
    settle(page)
    places.append(place(page))
    assert page.evaluate("history.length") == len(places) + 1  # and the empty tab
    walk_back_and_forth(page, places)
    go(page, -(len(places) - 1))
    same(page, places[0])
    expect(page.locator(".st-key-lesson")).to_have_count(0)


@pytest.mark.slow
def test_settings_stand_in_the_link_and_come_back(page, address):
    open_page(page, address, "interpolate", model="mnist-vae-2d", interpolate_B="7")
    path = lambda name: page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name)).first  # noqa: E731
    path("Great arc").click()
    page.wait_for_function("() => location.search.includes('interpolate_line=Great')")
    settle(page)
    assert "interpolate_B=7" in page.url and "interpolate_A" not in page.url and "interpolate_steps" not in page.url
    here = place(page)
    page.reload()
    same(page, here)
    pick_model(page, "mnist-vae-16d")
    path("Straight").click()
    page.wait_for_function("() => location.search.includes('interpolate_line=Straight')")
    settle(page)
    there = place(page)
    go(page, -1)
    same(page, here)
    go(page, 1)
    same(page, there)


@pytest.mark.slow
def test_a_reload_and_another_site_keep_the_place(page, address):
    open_page(page, address, STEPS[1].try_.page, lesson=f"{LESSON}.2")
    page.locator(".st-key-lesson_next button").click()
    page.wait_for_function("step => location.search.includes(`lesson=${step}`)", arg=f"{LESSON}.3")
    settle(page)
    here = place(page)
    page.reload()
    same(page, here)
    page.goto("about:blank")
    page.go_back()
    same(page, here)
    go(page, -1)
    page.wait_for_function("step => location.search.includes(`lesson=${step}`)", arg=f"{LESSON}.2")


@pytest.mark.slow
def test_two_tabs_keep_their_own_places(page, address):
    open_panel(page, address, model="mnist-vae-2d", z="0.5,-0.5")
    visit(page, "Map")
    other = page.context.new_page()
    errors = watch(other)
    open_page(other, address, "map", model="mnist-vae-16d")
    visit(other, "Sample")
    mine, theirs = place(page), place(other)
    go(page, -1)
    page.wait_for_function("() => location.pathname === '/sliders'")
    same(other, theirs)
    go(page, 1)
    same(page, mine)
    other.close()
    assert not errors

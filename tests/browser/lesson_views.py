"""Where a step's question and what it is about stand on a screen.

`python -m tests.browser.lesson_views` prints it for every step; `... phone codes map` for two lessons on a phone.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from pages.components.lessons.catalogue import lessons
from pages.components.lessons.panel import step_link
from pages.components.shell import parts

from .app_server import chromium, running_app, settle
from .layout import SCREENS

# The boxes of the question and of the part, [top, bottom], and the room that neither the header nor the panel covers.
PLACES = """(place) => {
  const [key, ...rest] = place.split(' '), whole = document.querySelector(`.st-key-${key}`);
  const roots = whole ? [whole, ...[...whole.querySelectorAll('*')].map((one) => one.shadowRoot).filter(Boolean)] : [];
  const part = rest.length ? roots.map((root) => root.querySelector(rest.join(' '))).find(Boolean) : whole;
  const question = document.querySelector('.st-key-lesson .stRadio label, .st-key-lesson .lesson-question');
  const box = (element) => element && [element.getBoundingClientRect().top, element.getBoundingClientRect().bottom];
  const panel = box(document.querySelector('.st-key-lesson'));
  const header = document.querySelector('.stAppHeader').getBoundingClientRect().bottom;
  const room = panel[0] > innerHeight / 3 ? [header, panel[0]] : [Math.max(header, panel[1]), innerHeight];
  const body = box(document.querySelector('.st-key-lesson_body'));
  return { question: box(question), part: box(part), panel: body, room, outlined: Boolean(part?.style.outline) };
}"""
MIN_PART = 150  # px of the part that are in sight, or all of it
TRIES = 10  # looks, a second apart, at a page that still moves


class Views(NamedTuple):
    """y of the question and of the part on a screen, in px, and what is wrong with them."""

    question: tuple[float, float]
    part: tuple[float, float]
    problems: list[str]


def place_of(key: str, number: int) -> str:
    target = lessons()[0][key].steps[number].try_
    return parts.place(target.page, target.look_at)


def look(page, key: str, number: int) -> Views:
    """Measure the step that a page shows, when it stands."""
    place = place_of(key, number)
    page.wait_for_function(f"(place) => ({PLACES})(place).outlined", arg=place, timeout=60_000)
    settle(page)
    for _ in range(TRIES):  # the page scrolls to the part until it stands
        page.wait_for_timeout(1000)
        views = judge(page.evaluate(PLACES, place))
        if not views.problems:
            break
    return views


def judge(found: dict) -> Views:
    """Return what is wrong with boxes as PLACES returns them."""
    question, part, room, panel = (tuple(found[name]) for name in ("question", "part", "room", "panel"))
    seen = min(part[1], room[1]) - max(part[0], room[0])
    problems = []
    if not (panel[0] - 1 <= question[0] and question[1] <= panel[1] + 1):
        problems.append(f"the question, y {question}, is not in sight in its panel, y {panel}")
    if seen < min(MIN_PART, part[1] - part[0]) - 1:
        problems.append(f"{seen:.0f} px of the part, y {part}, are in sight between y {room[0]:.0f} and {room[1]:.0f}")
    if part[0] < room[0] - 1:
        problems.append(f"the part begins at y {part[0]:.0f}, above y {room[0]:.0f}")
    return Views(question, part, problems)


def main(asked: list[str]) -> None:
    """asked: names of screens and keys of lessons; all of them where none is named."""
    screens = [screen for screen in SCREENS if screen in asked] or list(SCREENS)
    keys = [key for key in lessons()[0] if key in asked] or list(lessons()[0])
    with running_app() as address, chromium() as browser:
        for screen in screens:
            page = browser.new_context(**SCREENS[screen]).new_page()
            for key in keys:
                for number in range(len(lessons()[0][key].steps)):
                    page.goto(f"{address}/{step_link(key, number)}")
                    page.locator(".st-key-lesson").wait_for(timeout=60_000)
                    views = look(page, key, number)
                    question, part = (f"{top:.0f} to {bottom:.0f}" for top, bottom in views[:2])
                    print(
                        f"{screen:6}{key}.{number + 1:<3} question y {question:14} {place_of(key, number):38} "
                        f"y {part:14} {'; '.join(views.problems) or 'both in sight'}", flush=True,
                    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])

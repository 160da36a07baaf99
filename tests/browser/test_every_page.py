"""Every page on a desk, on a phone and enlarged: its layout, its sentences, its console, and what axe-core finds."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from pages.components.lessons.catalogue import lessons
from pages.components.lessons.panel import step_link

from .app_server import assert_fits, settle, watch
from .layout import MAX_TOP, MAX_WORDS, PAGES, SCREENS, ZOOMS, address_of, blocked, measure, open_at_rest, words

pytestmark = pytest.mark.slow
FIRST = next(iter(lessons()[0]))  # lesson

# what stands on a page depends on these too
VIEWS = [
    *PAGES, "uses?use=filling", "uses?use=anomalies", "uses?use=labels", "uses?use=augmentation", "uses?use=memory",
    "sliders?model=mnist-vae-16d", "sliders?model=mnist-vqvae", "sample?model=mnist-cvae",
    "compare?model=mnist-ae-16d&beside=mnist-vae-16d,mnist-vqvae,mnist-collapsed", "lessons?lessons_view=report",
    *(f"lessons?lessons_view={view}&lessons_of={FIRST}" for view in ("sheet", "teacher")), step_link(FIRST, 1),
]  # fmt: skip
# axe-core's findings in what Streamlit itself writes: the rule, and the selector that its elements match
STREAMLITS = {}
BACKGROUND = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
AXE = "() => axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)"


@pytest.fixture(scope="module", params=SCREENS)
def visitor(request, browser, address):
    """One visitor: the screen, the tab, and the errors of its console."""
    context = browser.new_context(**SCREENS[request.param])
    page = context.new_page()
    yield request.param, page, watch(page)
    context.close()


def findings(page) -> list[str]:
    """Return what axe-core finds on a page, without Streamlit's own."""
    page.evaluate(AXE_SCRIPT)
    found = []
    for violation in page.evaluate(AXE):
        for node in violation["nodes"]:
            own = STREAMLITS.get(violation["id"])
            innermost = node["target"][-1]
            selector = innermost if isinstance(innermost, str) else innermost[-1]
            in_shadow = not isinstance(innermost, str)
            if own and not in_shadow and page.locator(selector).and_(page.locator(own)).count():
                continue
            advice = node["failureSummary"].splitlines()[-1].strip()
            found.append(f"{violation['id']}: {node['html'][:150]} ({advice})")
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_a_page_is_laid_out_readable_accessible_and_can_be_enlarged(visitor, address, view):
    """One load of the page for all: on a desk it turns dark, and is then enlarged, as a visitor would do it."""
    screen, page, errors = visitor
    errors.clear()
    page.set_viewport_size(SCREENS[screen]["viewport"])
    page.emulate_media(color_scheme="light")
    name, _, query = view.partition("?")
    open_at_rest(page, address_of(address, name, query))
    assert_fits(page)
    top, sideways, longest = measure(page)
    problems = [f"reaches beyond the window: {element}" for element in sideways]
    if words(longest) > MAX_WORDS:
        problems.append(f"{words(longest)} words: {longest}")
    if top is not None and top >= MAX_TOP[screen] and "lesson=" not in query:  # a lesson stands above the picture
        problems.append(f"the picture begins at y = {top}")
    problems += findings(page)
    if screen == "desk":
        light = page.evaluate(BACKGROUND)
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(f"(light) => {BACKGROUND} !== light", arg=light)
        settle(page)
        problems += [f"in the dark: {finding}" for finding in findings(page)]
        for zoom, options in ZOOMS.items():
            page.set_viewport_size(options["viewport"])
            settle(page)
            assert_fits(page)
            problems += [f"at {zoom}: {element}" for element in blocked(page)]
    problems += [f"console: {error}" for error in errors]
    assert not problems, "\n".join(problems)

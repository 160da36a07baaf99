"""What all pages share, in Chromium: the strip of pages, undo, bookmarks, sharing, and the projector mode."""

import pytest
from playwright.sync_api import expect

from pages.components.lessons.catalogue import lessons

from .app_server import assert_fits, settle, watch
from .panel import in_query, open_page, open_panel, released, z_in_url

STRIP = ".st-key-navigation"


@pytest.mark.slow
def test_a_phone_shows_the_strip_with_the_current_page_in_it(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    errors = watch(page)
    open_page(page, address, "sliders")
    for name in ("Compare", "Match", "Home"):
        link = page.locator(STRIP).get_by_role("link", name=name, exact=True)
        link.tap()
        page.wait_for_function("path => location.pathname === path", arg="/" if name == "Home" else f"/{name.lower()}")
        settle(page)
        current = page.locator(f"{STRIP} [aria-current=page]")
        expect(current).to_have_text(name)
        box = current.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] >= 0 and box["height"] >= 44
        assert_fits(page)
    heights = page.locator(f"{STRIP} a").evaluate_all("links => links.map((a) => a.getBoundingClientRect().height)")
    assert min(heights) >= 44
    assert not errors
    context.close()


def test_undo_by_key_and_by_button(page, address):
    open_panel(page, address, model="mnist-vae-2d", z="0.5,-0.5")
    for expected in ([0.5, -0.5], [0.5, -0.5]):
        page.get_by_role("button", name="Sample z").click()
        page.wait_for_function("z => !location.search.includes(z)", arg=in_query(expected))
        settle(page)
    moved = z_in_url(page)
    page.get_by_role("button", name="Undo").first.click()
    page.wait_for_function("z => !location.search.includes(z)", arg=in_query(moved))
    settle(page)
    page.locator("h1").click()
    page.keyboard.press("Control+z")
    page.wait_for_function("z => location.search.includes(z)", arg=in_query([0.5, -0.5]))
    released(page)


@pytest.mark.slow
def test_a_bookmark_is_kept_and_opens_its_place(page, address):
    open_panel(page, address, model="mnist-vae-2d", z="0.5,-0.5")
    page.locator(".st-key-bookmarks button").first.click()
    name = page.get_by_label("Name of the bookmark")
    name.fill("a nine")
    name.press("Enter")
    bookmark = page.get_by_role("link", name="a nine")
    expect(bookmark).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export links").click()
    line = download.value.path().read_text(encoding="utf-8")
    assert line.startswith(f"a nine\t{address}/sliders?model=mnist-vae-2d&") and "z=0.5%2C-0.5" in line
    open_page(page, address, "map")
    page.locator(".st-key-bookmarks button").first.click()
    page.get_by_role("link", name="a nine").click()
    page.wait_for_function("() => location.pathname === '/sliders'")
    settle(page)
    assert z_in_url(page) == [0.5, -0.5]


def test_share_shows_this_page(page, address):
    open_page(page, address, "sample", model="mnist-vae-2d", z="0.5,-0.5", seed=3)
    page.locator(".st-key-share button").first.click()
    code = page.locator("[data-testid=stCode]")
    expect(code.first).to_contain_text(f"{address}/sample?model=mnist-vae-2d", timeout=60_000)
    expect(code.first).to_contain_text("z=0.5,-0.5&seed=3")
    expect(code.last).to_contain_text("&amp;embed=true")


@pytest.mark.slow
def test_an_embedded_page_has_no_strip_and_stays_embedded(page, address):
    open_page(page, address, "sliders", embed="true", z="0.5,-0.5")
    expect(page.locator(STRIP)).to_have_count(0)
    page.wait_for_function("() => location.search.includes('weights')")
    assert "embed=true" in page.url


@pytest.mark.slow
def test_the_projector_mode_takes_the_steps_of_a_lesson(page, address):
    key, lesson = next(iter(lessons()[0].items()))
    open_page(page, address, lesson.steps[1].try_.page, lesson=f"{key}.2")
    size = "parseFloat(getComputedStyle(document.querySelector('.st-key-lesson p')).fontSize)"
    usual = page.evaluate(size)
    page.keyboard.press("p")
    assert page.evaluate(size) > 1.3 * usual
    expect(page.get_by_text("Press P or Escape to leave.")).to_be_visible()
    expect(page.locator(STRIP)).to_be_hidden()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("step => location.search.includes(`lesson=${step}`)", arg=f"{key}.3")
    settle(page)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("step => location.search.includes(`lesson=${step}`)", arg=f"{key}.2")
    settle(page)
    expect(page.locator(STRIP)).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator(STRIP)).to_be_visible()


def test_a_capital_and_punctuation_find_the_page(page, address):
    page.goto(f"{address}/Sliders).?model=mnist-vae-2d&amp;z=0.5,\u22120.25")
    arrived = "() => location.pathname === '/sliders' && location.search.includes('weights')"
    page.wait_for_function(arrived, timeout=60_000)
    settle(page)
    assert z_in_url(page) == [0.5, -0.25]

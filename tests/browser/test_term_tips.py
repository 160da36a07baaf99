"""The definitions of terms, with mouse, keyboard and touch."""

import pytest

from .app_server import settle, watch

TERM = 'a[href^="glossary#"]'
TIP = "[...document.querySelectorAll('*')].map((e) => e.shadowRoot?.querySelector('.tip')).find(Boolean)"


def shown(page):
    """The definition in sight; None without one."""
    page.wait_for_timeout(400)  # a tip lingers for a moment
    text = "({ classList, textContent }) => classList.contains('shown') ? textContent : null"
    return page.evaluate(f"({text})({TIP})")


def test_a_term_shows_its_definition_to_pointer_and_keyboard(page, address):
    page.goto(address)
    page.wait_for_selector(TERM)
    settle(page)
    term = page.locator(TERM).first
    definition = term.get_attribute("title")
    assert definition and shown(page) is None
    term.hover()
    assert shown(page) == definition and term.get_attribute("title") is None
    page.mouse.move(5, 5)
    assert shown(page) is None and term.get_attribute("title") == definition
    page.keyboard.press("Tab")  # focus is seen once the keyboard is in use
    term.focus()
    assert shown(page) == definition
    page.keyboard.press("Escape")
    assert shown(page) is None


@pytest.mark.slow
def test_a_tap_shows_the_definition_and_a_second_one_opens_the_glossary(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    errors = watch(page)
    page.goto(address)
    page.wait_for_selector(TERM)
    settle(page)
    term = page.locator(TERM).first
    definition = term.get_attribute("title")
    term.tap()
    assert shown(page) == definition and len(context.pages) == 1
    left, right = page.evaluate(f"((box) => [box.left, box.right])({TIP}.getBoundingClientRect())")
    assert 0 <= left and right <= 390
    with context.expect_page() as opened:
        term.tap()
    opened.value.wait_for_url("**/glossary#*")
    assert opened.value.locator("h1").inner_text() == "Glossary"
    assert not errors
    context.close()

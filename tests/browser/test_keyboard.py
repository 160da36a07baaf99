"""Home, Sliders, Map and Inside by keyboard alone: each control is reached, shows that it has the focus, and works."""

import numpy as np
import pytest

from .app_server import settle
from .layout import ALL
from .panel import open_page, until, wait_for_another_z, z_in_url

pytestmark = pytest.mark.slow

MAX_STOPS = 400  # of one page; more means that Tab is caught somewhere

# numbers what Tab should reach; of a group of radio buttons that is one
NUMBER = f"""() => {{
  {ALL}
  const main = document.querySelector('[data-testid=stMain]');
  window.tabStops = all(main).filter((e) => e !== main && e.tabIndex >= 0 && !e.disabled && !e.shadowRoot
    && e.checkVisibility({{ visibilityProperty: true }}) && !(e.type === 'radio' && !e.checked)
    && (e.matches('a[href], button, input, select, textarea, summary') || e.hasAttribute('tabindex')));
  document.activeElement?.blur();
  return window.tabStops.length;
}}"""
# the number of what has the focus, -1 for what has none; null outside the page. seen: whether it has an outline, which
# is asked of this project's own elements
FOCUSED = """() => {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  if (!e || e === document.body) return null;
  const own = e.getRootNode() !== document, { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(e);
  const outlined = (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) || boxShadow !== 'none';
  return { stop: window.tabStops.indexOf(e), seen: !own || outlined };
}"""
# the numbers of what has never had the focus; in a group of Streamlit's buttons arrow keys go from one to the next
MISSED = """(met) => {
  const group = (i) => window.tabStops[i]?.closest('[data-testid=stButtonGroup]');
  const entered = met.map(group).filter(Boolean);
  return window.tabStops.map((_, i) => i).filter((i) => !met.includes(i) && !entered.includes(group(i)));
}"""
NAME = """(i) => { const e = window.tabStops[i];
  return `${e.localName}.${e.className}: ${e.getAttribute('aria-label') ?? e.textContent.trim().slice(0, 40)}` }"""


@pytest.mark.parametrize("path", ["", "sliders", "map", "inside"])
def test_tab_reaches_every_control_and_is_never_caught(page, address, path):
    open_page(page, address, path, model="mnist-vae-16d")
    controls = page.evaluate(NUMBER)
    met, unseen = set(), set()
    for _ in range(MAX_STOPS):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None:
            break
        met.add(found["stop"])
        if not found["seen"]:
            unseen.add(found["stop"])
    else:
        raise AssertionError(f"after {MAX_STOPS} presses of Tab the focus is still on the page")
    assert controls > 3
    assert not [page.evaluate(NAME, i) for i in page.evaluate(MISSED, sorted(met))], "Tab does not reach these"
    assert not [page.evaluate(NAME, i) for i in sorted(unseen - {-1})], "the focus cannot be seen on these"


def test_home_is_operated_by_keys(page, address):
    """z moves by arrow keys, and the model opens on Sliders with it."""
    open_page(page, address, "")
    page.locator(".plane").focus()
    before = page.locator(".values").inner_text()
    page.keyboard.press("ArrowRight")
    until(page, lambda: page.locator(".values").inner_text() != before)
    page.locator("button.open").press("Enter")
    page.get_by_role("heading", name="Sliders").wait_for()
    settle(page)


def test_sliders_are_operated_by_keys(page, address):
    open_page(page, address, "sliders", model="mnist-vae-16d")
    before = z_in_url(page)
    slider = page.locator(".panel input[type=range]:visible").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    wait_for_another_z(page, before)
    assert (np.array(z_in_url(page)) != before).sum() == 1


def test_inside_is_drawn_on_by_keys(page, address):
    open_page(page, address, "inside", model="mnist-vae-2d")
    inside = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.inside).find(Boolean)"
    page.wait_for_function(f"() => {inside}?.passes > 0 && {inside}.tasks.idle()")
    before = page.evaluate(f"[...{inside}.pass.mu]")
    page.locator("canvas.pad").focus()
    for key in ("Space", *["ArrowDown"] * 10, "Space"):
        page.keyboard.press(key)
    page.wait_for_function(f"(mu) => {inside}.pass.mu.some((v, d) => v !== mu[d])", arg=before)

"""How tests reach into the map, which lives in a shadow root."""

from __future__ import annotations

import numpy as np

from .app_server import settle
from .panel import open_page

# the map's own object, and where a point of the layout stands on the screen
MAP = """(() => { const over = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
  .map(r => r.querySelector('canvas.over')).find(Boolean); return over && [over, over.getRootNode().scatter ?? over.closest('.scatter').parentNode.scatter] })()"""  # noqa: E501
NAME = "mnist-vae-16d"


def open_map(page, address, name=NAME, **query):
    open_page(page, address, "map", model=name, **query)
    page.locator("canvas.dots[data-drawn]").wait_for()
    page.wait_for_function(f"() => {MAP}?.[1].points && window.latentSpaceExplorer.models.size")
    page.wait_for_function("() => [...window.latentSpaceExplorer.sheets.values()].some(s => s.bitmap)")
    settle(page)


def on_screen(page, xy):
    """Places of the layout (B, 2) -> pixels of the page (B, 2)."""
    return np.array(page.evaluate(
        f"""(places) => {{ const [over, map] = {MAP}, box = over.getBoundingClientRect();
          const scale = 0.92 * Math.min(map.width, map.height) * map.view.k;
          return places.map(([x, y]) => [
            box.x + map.width / 2 + ((x - map.fit.x) / map.fit.span - map.view.x) * scale,
            box.y + map.height / 2 - ((y - map.fit.y) / map.fit.span - map.view.y) * scale]) }}""",
        np.asarray(xy, float).tolist(),
    ))  # fmt: skip


def inner(page):
    """The stage, scrolled into sight: its box."""
    page.locator("canvas.over").scroll_into_view_if_needed()
    return page.locator("canvas.over").bounding_box()


def draw_line(page, places):
    """Press the mouse at the first place (x, y), move it to the others, and let go: a lasso, a path or a drag."""
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()

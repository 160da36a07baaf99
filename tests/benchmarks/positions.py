"""Prints where the first picture of each page begins: python -m tests.benchmarks.positions

At 1440 x 900 it should begin above y = 260, at 390 x 844 (touch) above 300.
"""

from __future__ import annotations

from pages.components.shell.navigation import DEFAULT_PAGE, page_files
from tests.browser.app_server import chromium, running_app, settle

LIMITS = {(1440, 900): 260, (390, 844): 300}  # y in px
MIN_SIDE = 40  # px; smaller pictures are icons
PICTURES = "canvas, img, svg, .stPlotlyChart, table.heat"
# the top of the highest picture on the page or in a shadow root, and what stands above it
FIRST_PICTURE = """([selector, side]) => {
  const roots = [document, ...[...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean)];
  const boxes = roots.flatMap((root) => [...root.querySelectorAll(selector)]).map((e) => e.getBoundingClientRect())
    .filter((box) => box.width >= side && box.height >= side && box.top + scrollY >= 0);
  return boxes.length ? Math.round(Math.min(...boxes.map((box) => box.top + scrollY))) : null;
}"""


def main() -> None:
    with running_app() as address, chromium() as browser:
        for (width, height), limit in LIMITS.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, has_touch=width < 500, is_mobile=width < 500
            )
            page = context.new_page()
            for file in page_files():
                page.goto(f"{address}/{'' if file.stem == DEFAULT_PAGE else file.stem}")
                page.wait_for_selector("h1", timeout=60_000)
                settle(page)
                y = page.evaluate(FIRST_PICTURE, [PICTURES, MIN_SIDE])
                verdict = "no picture" if y is None else "" if y <= limit else f"over {limit}"
                print(f"{width:5} {file.stem:12} {'-' if y is None else y:>5} {verdict}", flush=True)
            context.close()


if __name__ == "__main__":
    main()

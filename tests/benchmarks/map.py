"""python -m tests.benchmarks.map: how a map of 70,000 points behaves in Chromium without a GPU.

One table from one run: this app's map, and Plotly's scattergl with the same points. First paint is
from the navigation to the frame with the points, the server warm; a frame's time is from one animation
frame to the next while every frame moves or zooms the map; hover is from the pointer's move to
the frame with the ring, the card's from the end of its dwell; placing is one new code among a model's map, in Python.
Compare within a run.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import numpy as np

from vae import store
from vae.latent import maps

from ..browser.app_server import chromium, running_app, settle

# counts frames until the map stands, from the navigation on
FIRST_PAINT = """window.firstPaint = null;
const find = (selector) => {
  const roots = [document, ...[...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)];
  return roots.map(r => r.querySelector(selector)).find(Boolean);
};
const look = () => {
  const done = location.search.includes('scattergl')
    ? find('.js-plotly-plot .gl-canvas') && find('.js-plotly-plot')._fullLayout?._plots?.xy?._scene?.count
    : find('canvas.dots')?.dataset.drawn;
  if (done) requestAnimationFrame(() => { window.firstPaint = performance.now() });
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
FIND = """const find = (selector) => {
  const roots = [document, ...[...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)];
  return roots.map(r => r.querySelector(selector)).find(Boolean);
};"""
# a movement in every frame for three seconds: the time from frame to frame
FRAMES = (
    "async (what) => {" + FIND + """
  const ours = find('canvas.over'), target = ours ?? find('.js-plotly-plot .nsewdrag');
  const box = target.getBoundingClientRect();
  const at = (t) => ({ clientX: box.x + box.width * (0.5 + 0.1 * Math.sin(t)), clientY: box.y + box.height * 0.5,
                       bubbles: true, cancelable: true, pointerId: 1, pointerType: 'mouse', button: 0, buttons: 1 });
  const kind = ours ? PointerEvent : MouseEvent, name = ours ? 'pointer' : 'mouse';
  if (what === 'pan') {
    if (ours) ours.setPointerCapture = () => {};
    target.dispatchEvent(new kind(name + 'down', at(0)));
  }
  const frames = [];
  let last = performance.now();
  const begun = last;
  for (let t = 0; performance.now() - begun < 3000; t += 0.2) {
    if (what === 'pan') (ours ? target : document).dispatchEvent(new kind(name + 'move', at(t)));
    else target.dispatchEvent(new WheelEvent('wheel', { ...at(0), buttons: 0, deltaY: 40 * Math.cos(t) }));
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - last);
    last = performance.now();
  }
  if (what === 'pan') (ours ? target : document).dispatchEvent(new kind(name + 'up', at(0)));
  return frames.slice(3);
}"""
)
HOVER = (
    "async () => {" + FIND + """
  const over = find('canvas.over'), card = find('.card');
  const box = over.getBoundingClientRect();
  const rest = (ms) => new Promise(next => setTimeout(next, ms));
  const rings = [], cards = [];
  for (let i = 0; i < 20; i++) {
    const at = { clientX: box.x + box.width * (0.4 + 0.01 * i), clientY: box.y + box.height * 0.5, pointerType: 'mouse', pointerId: 1, bubbles: true };
    const before = over.dataset.frames, start = performance.now();
    over.dispatchEvent(new PointerEvent('pointermove', at));
    while (over.dataset.frames === before) await new Promise(requestAnimationFrame);
    rings.push(performance.now() - start);
    while (card.hidden && performance.now() - start < 1000) await new Promise(requestAnimationFrame);
    if (!card.hidden) cards.push(performance.now() - start - 125);
    await rest(30);
  }
  return { rings, cards };
}"""  # noqa: E501
)


def measure(browser, address: str, query: str) -> dict:
    paints = []
    for _ in range(4):  # the first one warms the server's caches
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.add_init_script(FIRST_PAINT)
        page.goto(f"{address}/{query}")
        page.wait_for_function("() => window.firstPaint", timeout=120_000)
        paints.append(page.evaluate("window.firstPaint"))
        settle(page)
        page.wait_for_timeout(2500)
        if len(paints) < 4:
            context.close()
    found = {"paint": median(paints[1:])}
    for what in ("pan", "zoom"):
        found[what] = page.evaluate(FRAMES, what)
    found["hover"] = page.evaluate(HOVER) if not query else None
    context.close()
    return found


def placed_in(name: str) -> tuple[float, int]:
    """Return the milliseconds in which one code is placed on a model's map, and how many it has."""
    found = store.Store().read_map(name)
    push = maps.umap_repulsion(found.umap)
    z, times = found.codes[:1] + 0.05, []
    for _ in range(31):
        begun = time.perf_counter()
        maps.place(z, found.codes, found.umap, push)
        times.append(1000 * (time.perf_counter() - begun))
    return median(times[1:]), len(found.codes)  # the first compiles


def main() -> None:
    script = str(Path(__file__).with_name("map_app.py"))
    with running_app(script) as address, chromium() as browser:
        rows = {what: measure(browser, address, query) for what, query in (("map", ""), ("scattergl", "?scattergl=1"))}
    print(f"{'70,000 points':14} {'first paint s':>13} {'pan ms':>8} {'p95':>7} {'a second':>9} {'zoom ms':>8} "
        f"{'p95':>7} {'a second':>9}")
    for what, found in rows.items():
        cells = [f"{what:14} {found['paint'] / 1000:13.2f}"]
        for kind in ("pan", "zoom"):
            frames = found[kind]
            cells.append(f"{median(frames):8.1f} {np.quantile(frames, 0.95):7.1f} {1000 / np.mean(frames):9.0f}")
        print(" ".join(cells))
    ours, other = rows["map"], rows["scattergl"]
    print(
        f"scattergl takes {other['paint'] / ours['paint']:.1f} times as long to the first paint, "
        f"{median(other['pan']) / median(ours['pan']):.1f} times for a frame of panning, "
        f"{median(other['zoom']) / median(ours['zoom']):.1f} times for one of zooming"
    )
    rings, cards = ours["hover"]["rings"], ours["hover"]["cards"]
    print(
        f"hover: ring after {median(rings):.0f} ms (p95 {np.quantile(rings, 0.95):.0f}); card "
        f"{median(cards):.0f} ms after its dwell of 125 ms (p95 {np.quantile(cards, 0.95):.0f}), {len(cards)} of 20"
    )
    milliseconds, n = placed_in("mnist-vae-16d")
    print(f"one code among {n:,} is placed in {milliseconds:.1f} ms")


if __name__ == "__main__":
    main()

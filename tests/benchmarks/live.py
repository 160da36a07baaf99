"""python -m tests.benchmarks.live: how soon a picture follows the hand.

--phones: at Chromium's CPU throttling, as on a phone, with WebAssembly and in plain JavaScript; and each model's
decoder against torch on one thread. Without it, one table from one run: the floor (a page that only paints noise), the live panel decoding in the
browser, the same panel decoding on the server, and a stock st.slider in an app without this one's
settings; with a slower network and with a class of users. Times are from the input event to the end of the frame that shows its
picture, in headless Chromium without a GPU. Compare within a run: the machine's mood is in all rows.
"""  # noqa: E501

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np
import psutil
import torch

import vae

from ..browser.app_server import chromium, running_app, settle
from ..browser.panel import PANEL as PANEL_STATE
from ..browser.panel import ROOT
from .network import delaying_proxy, users

SMALL, LARGE = "mnist-vae-16d", "sprites-vae"

# one event at a time, the next after its picture has been seen and a short rest: latency;
# then 60 events a second: pictures per second, and the share of events that got a picture
MEASURE = (
    """async ([canvas, move]) => {
  const rest = (ms) => new Promise(next => setTimeout(next, ms));
  const channel = new MessageChannel();
  let afterPaint = null;
  channel.port1.onmessage = () => { const then = afterPaint; afterPaint = null; then?.() };
  let seen = null, painted = 0;
  const observer = new MutationObserver(() => { painted++; seen?.() });
  observer.observe(canvas, { attributeFilter: ['data-painted'] });
  // the frame's end: a message posted in its animation callback arrives once it is painted
  const frameEnd = () => new Promise(next => requestAnimationFrame(() => { afterPaint = next; channel.port2.postMessage(0) }));
  const latencies = [];
  for (let i = 0; i < 60; i++) {
    const arrived = new Promise(next => { seen = next });
    const start = performance.now();
    move(0.5 + 0.45 * Math.sin(i));
    await Promise.race([arrived, rest(5000)]);
    await frameEnd();
    latencies.push(performance.now() - start);
    seen = null;
    await rest(7 + 13 * ((i * 7) % 10) / 10);
  }
  painted = 0;
  let asked = 0;
  const start = performance.now();
  while (performance.now() - start < 3000) {
    asked++;
    move(0.5 + 0.45 * Math.sin(asked / 12));
    await rest(start + asked * 1000 / 60 - performance.now());
  }
  const seconds = (performance.now() - start) / 1000;
  const perSecond = painted / seconds, share = painted / asked;
  observer.disconnect();
  return { latencies, perSecond, share };
}"""  # noqa: E501
)
PANEL = (
    "() => { const root = " + ROOT + ";"
    " const input = root.querySelector('input[type=range]'), canvas = root.querySelector('canvas.picture');"
    " const low = Number(input.min), high = Number(input.max);"
    " const move = (t) => { input.value = low + t * (high - low); input.dispatchEvent(new Event('input', { bubbles: "
    "true })) };"
    f" return ({MEASURE})([canvas, move]) }}"
)
FLOOR = (
    "() => { const canvas = document.createElement('canvas'); canvas.width = canvas.height = 28;"
    " canvas.style.width = '400px'; document.body.append(canvas);"
    " const context = canvas.getContext('2d'), image = context.createImageData(28, 28); let n = 0;"
    " const move = () => { for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : "
    "Math.random() * 256;"
    " context.putImageData(image, 0, 0); canvas.dataset.painted = ++n };"
    f" return ({MEASURE})([canvas, move]) }}"
)
# a browser that has been told that it cannot decode
NO_DECODER = """window.latentSpaceExplorer = { memory: new Map(), news: new EventTarget(), models: {
  size: 1, has: () => true, set() {}, get: () => ({ draws: new Uint8Array(), decoder: null, reason: 'benchmark' }) } }"""  # noqa: E501


# a browser that refuses WebAssembly
NO_WEBASSEMBLY = "WebAssembly.Module = class { constructor() { throw new Error('benchmark') } }"
RATES = (1, 4, 6)  # of the CPU throttling
DECODE = """({ panel, runs }) => {
  const { entry: { decoder }, z, y } = panel, times = [];
  for (let i = 0; i < runs; i++) {
    const at = z.map((value, d) => value + 0.01 * Math.sin(i + d)), start = performance.now();
    for (let k = 0; k < 10; k++) decoder.decode(at, y);
    times.push((performance.now() - start) / 10);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}"""


def row(what, picture, network, class_size, found, cpu=None):
    latencies = found["latencies"]
    print(
        f"{what:22} {picture:6} {network:>6} {class_size:>6} {median(latencies):9.1f} "
        f"{np.quantile(latencies, 0.95):9.1f} {found['perSecond']:8.0f} {100 * found['share']:7.0f} "
        + (f"{cpu:10.1f}" if cpu is not None else f"{'':>10}"),
        flush=True,
    )
    return median(latencies)


def throttled(page, rate):
    """Slow the CPU of a tab down by this factor."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})


def measure_panel(browser, address, model, server_path, script="", rate=1):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    if server_path or script:
        page.add_init_script(NO_DECODER if server_path else script)
    page.goto(f"{address}/sliders?model={model}")
    page.wait_for_function(f"() => {ROOT}?.querySelector('.line').textContent", timeout=120_000)
    settle(page)
    page.wait_for_timeout(1000)
    line = page.evaluate(f"() => {ROOT}.querySelector('.line').textContent")
    assert ("on the server" if server_path else "in your browser") in line, line
    throttled(page, rate)
    found = page.evaluate(PANEL)
    context.close()
    return found


def measure_floor(browser, rate=1):
    """A page that only paints noise."""
    page = browser.new_page()
    page.goto("data:text/html,<body></body>")
    throttled(page, rate)
    found = page.evaluate(FLOOR)
    page.close()
    return found


def measure_stock(browser, address, model):
    """A key on the slider's thumb until the new picture has been painted."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/?model={model}")
    page.wait_for_selector("[data-testid=stImage] img", timeout=60_000)
    settle(page)
    page.get_by_role("slider").focus()
    latencies = []
    for _ in range(25):
        page.evaluate(
            """() => { const block = document.querySelector('[data-testid=stMain]');
            const source = () => block.querySelector('[data-testid=stImage] img')?.src, before = source();
            window.took = new Promise(next => {
              addEventListener('keydown', () => { const start = performance.now();
                const look = async () => { if (source() && source() !== before) {
                    await block.querySelector('[data-testid=stImage] img').decode().catch(() => {});
                    requestAnimationFrame(() => setTimeout(() => next(performance.now() - start)));
                  } else requestAnimationFrame(look) };
                look() }, { once: true, capture: true }) }) }"""
        )
        page.keyboard.press("ArrowRight")
        took = "() => Promise.race([window.took, new Promise(next => setTimeout(next, 5000, null))])"
        latencies.append(page.evaluate(took))
        page.wait_for_timeout(60)
    context.close()
    # a step that changes no pixel gives no new picture to wait for
    return {"latencies": [t for t in latencies if t is not None], "perSecond": 0, "share": 0}


def server_process():
    """The app's process: the child that runs streamlit."""
    children = psutil.Process().children(recursive=True)
    return next(p for p in children if "app.py" in " ".join(p.cmdline()))


def phones() -> None:
    """Print a drag at each throttling, and each model's decoder against torch."""
    with chromium() as browser, running_app() as address:
        print(f"{'path':22} {'image':6} {'CPU':>6} {'':>6} {'median ms':>9} {'p95 ms':>9} {'fps':>8} {'events %':>8}")
        floors = {rate: row("floor (noise)", "28", f"1/{rate}", "", measure_floor(browser, rate)) for rate in RATES}
        for what, script in (("WebAssembly", ""), ("plain JavaScript", NO_WEBASSEMBLY)):
            for model, picture in ((SMALL, "28"), (LARGE, "64")):
                for rate in RATES:
                    found = measure_panel(browser, address, model, False, script, rate)
                    above = row(what, picture, f"1/{rate}", "", found) - floors[rate]
                    print(f"{'':22} {above:+.1f} ms against the floor")
        print(f"\n{'model':18} {'torch ms':>9} {'WebAssembly ms':>15} {'plain ms':>9} {'ratio':>6}")
        for card in vae.available():
            if not vae.load(card.name).discrete:
                native = torch_decode(card.name)
                times = [browser_decode(browser, address, card.name, script) for script in ("", NO_WEBASSEMBLY)]
                columns = f"{native:9.3f} {times[0]:15.3f} {times[1]:9.3f} {times[0] / native:6.2f}"
                print(f"{card.name:18} {columns}", flush=True)


@torch.no_grad()
def torch_decode(name: str) -> float:
    """Return the milliseconds of torch's decoder for one image on one thread, the median of 200."""
    torch.set_num_threads(1)
    model, times = vae.load(name), []
    z = model.sample(1)
    y = torch.zeros(1, dtype=torch.long) if model.num_classes else None
    for _ in range(200):
        start = time.perf_counter()
        model.decode(z, y)
        times.append(1000 * (time.perf_counter() - start))
    return median(times)


def browser_decode(browser, address, model, script) -> float:
    """Return the milliseconds of a browser's decoder for one image, the median of 50 times ten."""
    page = browser.new_page()
    if script:
        page.add_init_script(script)
    page.goto(f"{address}/sliders?model={model}")
    page.wait_for_function(f"() => {ROOT}?.querySelector('.line').textContent", timeout=120_000)
    settle(page)
    found = page.evaluate(f"() => ({DECODE})({{ panel: {PANEL_STATE}, runs: 50 }})")
    page.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, nargs="*", default=[1, 10, 30])
    parser.add_argument("--phones", action="store_true")
    args = parser.parse_args()
    if args.phones:
        phones()
        return
    print(f"{'path':22} {'image':6} {'net ms':>6} {'users':>6} {'median ms':>9} {'p95 ms':>9} "
          f"{'fps':>8} {'events %':>8} {'CPU %/user':>10}")  # fmt: skip
    figures = {}
    with chromium() as browser:
        floor = row("floor (noise)", "28", "", "", measure_floor(browser))
        with running_app("stock.py", folder=Path(__file__).parent) as address:
            for model, picture in ((SMALL, "28"), (LARGE, "64")):
                figures["stock", picture] = row(
                    "stock st.slider", picture, "0", "1", measure_stock(browser, address, model)
                )
        with running_app() as address:
            for server_path, what in ((False, "panel, browser"), (True, "panel, server")):
                for model, picture in ((SMALL, "28"), (LARGE, "64")):
                    for milliseconds in (0, 40, 100):
                        with delaying_proxy(address, milliseconds / 1000) as slow:
                            figures[what, picture, milliseconds] = row(
                                what, picture, str(milliseconds), "1",
                                measure_panel(browser, slow if milliseconds else address, model, server_path),
                            )  # fmt: skip
                for count in args.classes:
                    with users(address, SMALL, count, server_path) as running:
                        time.sleep(3 + count / 5)  # until all have opened their page
                        if running.done():
                            running.result()
                        process = server_process()
                        before, begun = sum(process.cpu_times()[:2]), time.monotonic()
                        found = measure_panel(browser, address, SMALL, server_path)
                        used = sum(process.cpu_times()[:2]) - before
                        cpu = 100 * used / (time.monotonic() - begun) / (count + 1)
                    figures[what, "28", "users", count] = row(what, "28", "0", str(count), found, cpu)
    print()
    for picture in ("28", "64"):
        stock, browser_ms = figures["stock", picture], figures["panel, browser", picture, 0]
        print(f"{picture}x{picture}: browser path against the floor {browser_ms / floor:.2f}, "
              f"stock slider against the browser path {stock / browser_ms:.1f}, "
              f"with 100 ms of round trip against without "
              f"{figures['panel, browser', picture, 100] / browser_ms:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()

"""python -m tests.benchmarks.start: how long a newcomer waits for the first picture.

Each repeat starts this app and a stock st.slider over the same model. Cold: from starting the server to the first
picture of the link's z, in a browser that has never been there; once with torch's files in the file cache and once
without (they are dropped from it, on Linux only). Warm: a second new browser on the running server. Returning: the
first browser again. Also how long the first press of a slider's key takes, and the server's memory ten seconds later.
Compare within a run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil

from ..browser.app_server import ROOT, chromium

MODEL = "mnist-vae-16d"
LINK = f"model={MODEL}&z=" + ",".join(["0.5"] * 16)

# the sum of the picture's bytes: None until there is one
ROOTS = "[document, ...[...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean)]"
PANEL = f"""() => {{
  const canvas = {ROOTS}.map((root) => root.querySelector('canvas.picture')).find(Boolean);
  if (!canvas?.dataset.painted) return null;
  const bytes = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return bytes.reduce((sum, byte, i) => sum + byte * (i % 251), 0) || null;
}}"""
STOCK = """() => {
  const picture = document.querySelector('[data-testid=stImage] img');
  return picture?.complete && picture.naturalWidth ? picture.src : null;
}"""
APPS = {
    "this app": (ROOT / "app.py", "sliders", PANEL, "input[type=range]"),
    "stock": (Path(__file__).parent / "stock.py", "", STOCK, "role=slider"),
}


@contextlib.contextmanager
def server(script: Path) -> Iterator[tuple[subprocess.Popen, str]]:
    """Start a script as a newcomer would, without waiting for it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("OMP_NUM_THREADS", None)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "streamlit", "run", script.name, "--server.headless", "true",
            "--server.port", str(port), "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false",
        ],
        cwd=script.parent, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def wait_until_answering(address: str) -> None:
    while True:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
            return
        except OSError:
            time.sleep(0.01)


def drop_torch_from_file_cache() -> None:
    """Ask the system to forget torch's files, so that the next import reads them from the disk."""
    spec = importlib.util.find_spec("torch")
    assert spec is not None and spec.origin is not None
    for path in Path(spec.origin).parent.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def first_picture(page, address: str, script: str, picture: str, start: float) -> float:
    """Open the link and return the seconds from start until its picture is there."""
    page.goto(f"{address}/{script}?{LINK}", wait_until="commit")
    page.wait_for_function(picture, polling="raf", timeout=120_000)
    return time.perf_counter() - start


def first_key(page, picture: str, slider: str) -> float:
    """Press an arrow key on the first slider as soon as it is there; return the seconds until the picture changes."""
    before = page.evaluate(picture)
    page.locator(slider).first.focus()
    start = time.perf_counter()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"(before) => ({picture})() !== before", arg=before, polling="raf", timeout=60_000)
    return time.perf_counter() - start


def measure(browser, name: str, cached: bool) -> dict[str, float]:
    script, page_path, picture, slider = APPS[name]
    if not cached:
        drop_torch_from_file_cache()
    found = {}
    context, second = browser.new_context(), browser.new_context()
    start = time.perf_counter()
    with server(script) as (process, address):
        wait_until_answering(address)
        page = context.new_page()
        found["cold"] = first_picture(page, address, page_path, picture, start)
        found["key"] = first_key(page, picture, slider)
        page.wait_for_timeout(10_000)
        found["MB"] = psutil.Process(process.pid).memory_info().rss / 1e6
        loaded = [Path(m.path).name for m in psutil.Process(process.pid).memory_maps() if "libtorch_cpu" in m.path]
        assert loaded, f"{name} has not loaded torch after ten seconds"
        for key, again in (("warm", second), ("returning", context)):
            page = again.new_page()
            found[key] = first_picture(page, address, page_path, picture, time.perf_counter())
            page.close()
    context.close(), second.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    kinds = [True, False] if hasattr(os, "posix_fadvise") else [True]
    found: dict[tuple[str, bool], list[dict[str, float]]] = {}
    with chromium() as browser:
        for _ in range(repeats):
            for cached in kinds:
                for name in APPS:
                    found.setdefault((name, cached), []).append(measure(browser, name, cached))
    measures = ("cold", "warm", "returning", "key", "MB")
    print(f"{'':12} {'torch cached':>12}" + "".join(f"{key:>11}" for key in measures))
    for (name, cached), runs in found.items():
        middle = [median(run[key] for run in runs) for key in measures]
        print(f"{name:12} {str(cached):>12}" + "".join(f"{value:11.2f}" for value in middle))
    for cached in kinds:
        ratios = [
            median(a[key] for a in found["this app", cached]) / median(b[key] for b in found["stock", cached])
            for key in measures
        ]
        print(f"{'ratio':12} {str(cached):>12}" + "".join(f"{value:11.2f}" for value in ratios))


if __name__ == "__main__":
    main()

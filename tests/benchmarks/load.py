"""Prints how many visitors a server holds: times of their actions, errors and memory.

    python -m tests.benchmarks.load                                an hour of 60 sessions
    python -m tests.benchmarks.load --sessions 60 200 --minutes 10  a row each, with a server of its own each
    python -m tests.benchmarks.load --rate 10                      ten times as many actions
    python -m tests.benchmarks.load --replicas 2                   two servers, of which each visitor has one
    python -m tests.benchmarks.load --walk                         memory when every page and model has been opened

Each session is a tab (tab.py) of a visitor of his own. Of its actions, 70 % are releases of a slider, 15 % changes of
page, 10 % of model and 5 % pictures; every ten seconds, on average, it does one. After VISIT minutes it leaves, and
another visitor comes. Without the page's own control, an action is preceded by a change to a page that has one,
which takes the place of a later change of page. `CPU ms` is the servers' processor time per action. Memory is that of
all servers. Clients and servers run on this machine, and only on loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import os
import platform
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import psutil
from websockets.exceptions import ConnectionClosed

from ..browser.app_server import running_app
from .tab import Tab

ACTIONS = {"release": 14, "page": 3, "model": 2, "picture": 1}  # of twenty
EVERY = 10.0  # seconds from one action of a session to the next, on average
VISIT = 15.0  # minutes
JOINING = 30.0  # seconds in which all sessions join
SETTLING = 10.0  # minutes without which the slope of memory is measured; a third of a shorter run
SAMPLE = 5.0  # seconds between two looks at the memory
MAX_SESSIONS, MAX_MINUTES, MAX_RATE = 500, 180.0, 100.0
START = "model=mnist-vae-16d"


@dataclass
class Found:
    """What a run has measured."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # by kind of action, and "join"
    errors: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)  # (minutes since all have joined, MB)
    processor: float = 0.0  # seconds of the server's processor time since then
    counted: int = 0  # actions since then

    def actions(self) -> list[float]:
        return [each for kind, values in self.seconds.items() if kind != "join" for each in values]

    def slope(self) -> float:
        """Return the slope of the memory in MB a minute, after SETTLING."""
        t, y = np.array(self.memory).T
        late = t >= min(SETTLING, t[-1] / 3)
        return float(np.polyfit(t[late], y[late], 1)[0])


class Visitor:
    """Somebody who does one action after another in a tab."""

    def __init__(self, tab: Tab, chance: random.Random):
        self.tab, self.chance = tab, chance
        self.owed = 0  # changes of page that another action has needed
        self.releases = 0
        self.deck: list[str] = []

    async def act(self) -> tuple[str, float]:
        """Do one action. Returns its kind and the seconds it took."""
        if not self.deck:
            self.deck = [kind for kind, n in ACTIONS.items() for _ in range(n)]
            self.chance.shuffle(self.deck)
        kind = self.deck.pop()
        if kind == "page":
            if self.owed:
                self.owed -= 1
                return await self.act()
            return kind, await self.tab.turn_to(self.chance.choice(list(self.tab.pages)))
        act, home = {
            # a model of indices has no sliders on Sliders
            "release": (self._release(), "sample" if self.page() == "sliders" else "sliders"),
            "picture": (self._picture(), "interpolate"), "model": (self._model(), "sliders"),
        }[kind]  # fmt: skip
        if act is None:
            self.owed += 1
            self.deck.append(kind)
            return "page", await self.tab.turn_to(home)
        return kind, await act()

    def page(self) -> str:
        """Return the shown page."""
        return next((page for page, hash in self.tab.pages.items() if hash == self.tab.page), "")

    def _release(self) -> Callable | None:
        tab = self.tab
        if panel := tab.find("live_panel"):
            props = tab.props(panel)
            z, dim = list(props["z"]), self.chance.choice(props["dims"])
            z[dim["index"]] = round(self.chance.uniform(dim["low"], dim["high"]), 4)
            self.releases += 1
            sent = {"model": props["model"], "z": z, "y": props["y"], "panel": "load", "commit": self.releases}
            return lambda: tab.emit(panel, "commit", sent)
        sliders = [id for id, widget in tab.widgets.items() if type(widget).__name__ == "Slider"]
        if not sliders:
            return None
        slider = tab.widgets[chosen := self.chance.choice(sliders)]
        value = slider.min + slider.step * self.chance.randint(0, round((slider.max - slider.min) / slider.step))
        if slider.options:
            values: dict[str, Any] = {"string_array_value": {"data": [slider.options[round(value)]]}}
        else:
            values = {"double_array_value": {"data": [value]}}
        return lambda: tab.choose(chosen, **values)

    def _model(self) -> Callable | None:
        if not (picker := self.tab.find("model_picker")):
            return None
        option = self.chance.choice(list(self.tab.widgets[picker].options))
        return lambda: self.tab.choose(picker, string_value=option)

    def _picture(self) -> Callable | None:
        inputs = [id for id in self.tab.widgets if id.endswith("_picture") and _is_component(self.tab, id)]
        if not inputs:
            return None
        chosen = self.chance.choice(inputs)
        props = self.tab.props(chosen)
        x = np.zeros(props["shape"], np.uint8)
        top, left = (self.chance.randrange(side // 2) for side in x.shape[1:])
        x[:, top : top + x.shape[1] // 2, left : left + x.shape[2] // 3] = 200 + self.chance.randrange(56)
        sent = {"id": f"{self.chance.random()}", "data": props["data"], "x": base64.b64encode(x.tobytes()).decode()}
        return lambda: self.tab.emit(chosen, "own", sent)


def _is_component(tab: Tab, id: str) -> bool:
    return type(tab.widgets[id]).__name__ == "BidiComponent"


async def visit(address: str, found: Found, chance: random.Random, until: float, pause: float) -> None:
    """Open the app, act until a time of time.monotonic() or for VISIT minutes, and leave."""
    leaves = min(until, time.monotonic() + 60 * VISIT * chance.uniform(0.5, 1.5))
    try:
        async with Tab(address) as tab:
            try:
                found.seconds["join"].append(await tab.open("sliders", START))
                visitor = Visitor(tab, chance)
                while (rest := leaves - time.monotonic()) > 0:
                    await asyncio.sleep(min(wait := pause * chance.uniform(0.5, 1.5), rest))
                    if wait < rest:
                        kind, seconds = await visitor.act()
                        found.seconds[kind].append(seconds)
            finally:
                found.errors += tab.errors
    except (OSError, ConnectionClosed, TimeoutError) as error:
        found.errors.append(f"{type(error).__name__}: {error}")
        await asyncio.sleep(pause)


async def load(
    servers: list[tuple[str, psutil.Process]], sessions: int, minutes: float, rate: float = 1
) -> Found:
    """Keep so many sessions for so many minutes after all have joined, equally many on each server."""
    assert sessions <= MAX_SESSIONS and minutes <= MAX_MINUTES and rate <= MAX_RATE
    found, chance = Found(), random.Random(0)
    joining = min(JOINING, 60 * minutes / 4)
    began = time.monotonic() + joining
    until = began + 60 * minutes

    async def one(number: int) -> None:
        own = random.Random(number)
        await asyncio.sleep(joining * number / sessions)
        while time.monotonic() < until:
            await visit(servers[number % len(servers)][0], found, own, until, EVERY / rate)

    def processor() -> float:
        return sum(sum(process.cpu_times()[:2]) for _, process in servers)

    async def watch() -> None:
        await asyncio.sleep(max(0, began - time.monotonic()))
        busy, before = processor(), len(found.actions())
        while time.monotonic() < until:
            size = sum(megabytes(process) for _, process in servers)
            found.memory.append(((time.monotonic() - began) / 60, size))
            await asyncio.sleep(SAMPLE)
        found.processor = processor() - busy
        found.counted = len(found.actions()) - before

    await asyncio.gather(watch(), *(one(number) for number in chance.sample(range(sessions), sessions)))
    return found


# ---- the memory when every page and model has been opened


async def walk(address: str, process: psutil.Process, further: int = 20) -> list[tuple[str, float]]:
    """Open every page with every model. Returns [(what has been opened, MB)], and last the MB of a further session."""
    rows = [("nothing", megabytes(process))]
    async with Tab(address) as tab:
        await tab.open("sliders", START)
        rows.append(("a first page", megabytes(process)))
        for page in tab.pages:
            await tab.turn_to(page)
        rows.append(("every page, one model", megabytes(process)))
        for page in tab.pages:
            await tab.turn_to(page)
            if not (picker := tab.find("model_picker")):
                continue
            options = list(tab.widgets[picker].options)
            for option in options:
                await tab.choose(tab.find("model_picker"), string_value=option)
            rows.append((f"{page or 'home'}, {len(options)} models", megabytes(process)))
        assert not tab.errors, tab.errors
        rows.append(("every page, every model", megabytes(process)))
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(further):
                other = await stack.enter_async_context(Tab(address))
                await other.open("sliders", START)
                for page in other.pages:
                    await other.turn_to(page)
            rows.append(("a further session, every page", (megabytes(process) - rows[-1][1]) / further))
    return rows


def megabytes(process: psutil.Process) -> float:
    """Return the resident memory of a server, without the processes that it has started."""
    return process.memory_info().rss / 1e6


# ---- a server, and the table


@contextlib.contextmanager
def shared_server(**settings: str) -> Iterator[tuple[str, psutil.Process]]:
    """A server for strangers, of any number. settings: environment variables. Yields its address and its process."""
    before = set(psutil.Process().children())
    with patch.dict(os.environ, {"VAE_SHARED": "1", "VAE_SESSIONS": "off", **settings}), running_app() as address:
        (process,) = set(psutil.Process().children()) - before
        yield address, process


def machine() -> str:
    """Return the machine's processor, cores and load."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{name}, {os.cpu_count()} cores{busy}, Python {platform.python_version()}, {platform.system()}"


COLUMNS = (
    f"{'sessions':>8} {'replicas':>8} {'minutes':>7} {'rate':>5} {'actions':>7} {'p50 ms':>7} {'p95 ms':>7} "
    f"{'CPU ms':>6} {'join p95 s':>10} {'errors':>6} {'start MB':>8} {'end MB':>7} {'MB/min':>7}"
)


def row(sessions: int, replicas: int, minutes: float, rate: float, found: Found) -> str:
    """Return the row of COLUMNS, and below it a line for each kind of action, and the memory every ten minutes."""
    actions, (start, end) = found.actions(), (found.memory[0][1], found.memory[-1][1])
    lines = [
        f"{sessions:8} {replicas:8} {minutes:7g} {rate:5g} {len(actions):7} {_ms(actions, 0.5):7.0f} "
        f"{_ms(actions, 0.95):7.0f} {1000 * found.processor / max(found.counted, 1):6.0f} "
        f"{_ms(found.seconds['join'], 0.95) / 1000:10.2f} {len(found.errors):6} "
        f"{start:8.0f} {end:7.0f} {found.slope():7.2f}"
    ]
    for kind in ACTIONS:
        if values := found.seconds[kind]:
            share = f"{kind}, {100 * len(values) / len(actions):.0f} %"
            lines.append(f"{share:>22} {len(values):7} {_ms(values, 0.5):7.0f} {_ms(values, 0.95):7.0f}")
    tens = [next(size for t, size in found.memory if t >= ten) for ten in range(0, int(found.memory[-1][0]) + 1, 10)]
    lines.append(f"{'MB every ten minutes':>22} {' '.join(f'{size:.0f}' for size in tens)}")
    lines += [f"   {error[:200]}" for error in list(dict.fromkeys(found.errors))[:10]]
    return "\n".join(lines)


def _ms(seconds: list[float], quantile: float) -> float:
    return 1000 * float(np.quantile(seconds, quantile)) if seconds else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, nargs="+", default=[60])
    parser.add_argument("--minutes", type=float, default=60, help="of each row (default: 60)")
    parser.add_argument("--rate", type=float, default=1, help="how many times as many actions (default: 1)")
    parser.add_argument("--replicas", type=int, default=1, help="servers (default: 1)")
    parser.add_argument("--walk", action="store_true", help="measure the memory of every page and model instead")
    options = parser.parse_args()
    print(machine(), flush=True)
    if options.walk:
        with shared_server() as (address, process):
            for what, size in asyncio.run(walk(address, process)):
                print(f"{what:30} {size:7.1f} MB")
        return
    print(COLUMNS, flush=True)
    for sessions in options.sessions:
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(shared_server()) for _ in range(options.replicas)]
            found = asyncio.run(load(servers, sessions, options.minutes, options.rate))
        print(row(sessions, options.replicas, options.minutes, options.rate, found), flush=True)


if __name__ == "__main__":
    main()

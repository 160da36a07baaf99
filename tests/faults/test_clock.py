"""A clock that is set back while visitors are there: nothing waits for the time to come again."""

import pytest

from ..browser.app_server import settle
from ..browser.panel import open_panel, until
from ..browser.test_train import open_train, training
from ..long import some_long
from .servers import Server, moves_a_slider, no_exception, press

pytestmark = pytest.mark.slow
# Python imports this module when it starts, also in the processes that the server starts.
CLOCK = """
import os, time
real = time.time
def offset():
    try:
        with open(os.environ["CLOCK"], encoding="utf-8") as file:
            return float(file.read())
    except (OSError, ValueError):
        return 0.0
time.time = lambda: real() + offset()
time.time_ns = lambda: int(1e9 * time.time())
"""


def last_step(page):
    return max(training(page)["steps"], default=0)


@pytest.mark.parametrize("seconds", some_long([-86400, 86400], [-86400]))
def test_a_clock_that_jumps_by_a_day(seconds, tmp_path, browser):
    (tmp_path / "sitecustomize.py").write_text(CLOCK, encoding="utf-8")
    clock = tmp_path / "offset"
    with Server(PYTHONPATH=str(tmp_path), CLOCK=str(clock), VAE_SHARED="1") as server:
        address, context = f"http://{server.address}", browser.new_context(viewport={"width": 1200, "height": 900})
        there, trains = context.new_page(), context.new_page()
        open_panel(there, address, model="mnist-vae-2d", z="0.5,-1")
        open_train(trains, address)
        settle(trains)
        press(trains, "Start training")
        until(trains, lambda: len(training(trains)["steps"]) > 1 and training(trains)["phase"] == "running", 150)

        clock.write_text(str(seconds), encoding="utf-8")
        steps = last_step(trains)
        until(trains, lambda: last_step(trains) > steps, 60)
        moves_a_slider(there)
        new = context.new_page()
        open_panel(new, address, model="mnist-vae-16d")
        moves_a_slider(new)
        press(trains, "Stop")
        trains.get_by_text("Explore your model").wait_for(timeout=240_000)
        for page in (there, trains, new):
            no_exception(page)
        context.close()

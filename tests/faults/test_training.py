"""A training whose process ends: its visitor reads why, and the next one starts."""

import signal
import sys

import psutil
import pytest

from ..browser.app_server import settle
from ..browser.panel import until
from ..browser.test_train import open_train, training
from .servers import Server, no_exception, press

pytestmark = pytest.mark.slow


def workers(server):
    """The processes of trainings that a server has started."""
    started = psutil.Process(server.process.pid).children(recursive=True)
    return [process for process in started if "vae.live.worker" in process.cmdline()]


def out_of_memory(process):
    """Leave a process no more memory than it has: the next allocation fails."""
    import resource

    size = process.memory_info().vms
    resource.prlimit(process.pid, resource.RLIMIT_AS, (size, size))


def killed(process):
    """Kill a process, as a machine does that has no memory left."""
    process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("end, says", [(killed, "ended without a result (exit -9)"), pytest.param(
    out_of_memory, "", marks=pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prlimit is Linux's"),
)])  # fmt: skip
def test_a_training_without_memory(end, says, browser):
    with Server(VAE_SHARED="1") as server:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        page = context.new_page()
        open_train(page, f"http://{server.address}")
        settle(page)
        for attempt in range(2):
            press(page, "Start training")
            until(page, lambda: training(page)["phase"] == "running" and len(training(page)["steps"]) > 1, 150)
            if attempt == 0:
                for process in workers(server):
                    end(process)
                page.get_by_text(says or "training").first.wait_for(timeout=60_000)
                until(page, lambda: training(page)["phase"] == "idle", 60)
                print(page.locator("[data-testid=stMain]").inner_text())
                no_exception(page)
        context.close()

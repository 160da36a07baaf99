"""A slow network that loses packets: pictures follow the hand at once, and what the hand did arrives."""

import asyncio
import contextlib
import random
import threading

import pytest

from ..browser.app_server import free_port, settle
from ..browser.panel import drag, open_panel, released, until, z_in_url
from ..browser.test_own_pictures import SEVEN, draw
from .servers import Server, moves_a_slider, no_exception

pytestmark = pytest.mark.slow
ROUND_TRIP, LOSS = 0.3, 0.02  # seconds, and the share of packets
RESENT_AFTER = 0.2 + ROUND_TRIP  # seconds until TCP sends a lost packet again; those behind it wait
PACKET = 1400  # bytes


class SlowNetwork:
    """A proxy in front of a server. It delays what it forwards as a network of ROUND_TRIP and LOSS does."""

    def __init__(self, server):
        self.host, self.server_port, self.port = *server.address.split(":"), free_port()
        self.chance, self.lost = random.Random(0), 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._connect, "127.0.0.1", self.port), self.loop
        ).result(10)
        return self

    def __exit__(self, *error):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    async def _connect(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection(self.host, int(self.server_port))
        await asyncio.gather(self._forward(reader, up_writer), self._forward(up_reader, writer))

    async def _forward(self, reader, writer):
        """Forward each piece half a round trip later; a lost one, and all behind it, when it has been sent again."""
        queue, free = asyncio.Queue(), 0.0

        async def deliver():
            while (item := await queue.get()) is not None:
                due, content = item
                await asyncio.sleep(due - self.loop.time())
                with contextlib.suppress(OSError):
                    writer.write(content)
                    await writer.drain()
            writer.close()

        delivering = asyncio.ensure_future(deliver())
        with contextlib.suppress(OSError):
            while content := await reader.read(PACKET * 16):
                packets = -(-len(content) // PACKET)
                lost = any(self.chance.random() < LOSS for _ in range(packets))
                self.lost += lost
                free = max(free, self.loop.time() + ROUND_TRIP / 2 + lost * RESENT_AFTER)
                queue.put_nowait((free, content))
        queue.put_nowait(None)
        await delivering


def test_a_slow_network_that_loses_packets(browser):
    with Server(VAE_SHARED="1") as server, SlowNetwork(server) as network:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        address = f"http://127.0.0.1:{network.port}"
        open_panel(page, address, model="mnist-vae-2d", z="0.5,-1")
        drag(page, "mnist-vae-2d")  # the picture follows each place of the hand before anything is sent
        page.mouse.up()
        released(page)
        slider = page.locator(".st-key-live_panel input[type=range]").first
        for _ in range(10):  # each step is a release; the last one counts
            slider.press("ArrowRight")
        until(page, lambda: abs(float(slider.input_value()) - z_in_url(page)[0]) < 1e-3, 30)
        page.get_by_role("link", name="Interpolate", exact=True).first.click()
        page.wait_for_function("() => location.pathname === '/interpolate'")
        settle(page)
        draw(page, "interpolate_A", SEVEN)
        page.get_by_role("link", name="Sliders", exact=True).first.click()
        page.wait_for_function("() => location.pathname === '/sliders'")
        settle(page)
        moves_a_slider(page)
        no_exception(page)
        assert network.lost > 3
        context.close()

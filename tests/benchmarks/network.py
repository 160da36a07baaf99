"""A slower network and a class of users, for benchmarks: on loopback, by bounded loops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


@contextlib.contextmanager
def _loop_in_a_thread():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop

    async def cancel_the_rest():
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(cancel_the_rest(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


@contextlib.contextmanager
def delaying_proxy(address: str, round_trip: float):
    """An address that leads to the given one, each way round_trip / 2 seconds later."""
    host, port = address.removeprefix("http://").split(":")

    async def pump(reader, writer):
        """Keeps order and rate: each piece leaves half a round trip after it came."""
        loop, queue = asyncio.get_running_loop(), asyncio.Queue()

        async def deliver():
            with contextlib.suppress(ConnectionError):
                while (item := await queue.get()) is not None:
                    due, piece = item
                    await asyncio.sleep(max(0.0, due - loop.time()))
                    writer.write(piece)
                    await writer.drain()
            writer.close()

        delivery = asyncio.create_task(deliver())
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                queue.put_nowait((loop.time() + round_trip / 2, piece))
        queue.put_nowait(None)
        await delivery

    async def connected(reader, writer):
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        with contextlib.suppress(asyncio.CancelledError):  # at the end, with a browser still on
            await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    with _loop_in_a_thread() as loop:
        start = asyncio.start_server(connected, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(start, loop).result(5)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        loop.call_soon_threadsafe(server.close)


class User:
    """A session on the Sliders page that moves a slider as the panel's JavaScript does."""

    def __init__(self, address: str, model: str):
        self.address, self.model = address.replace("http", "ws"), model
        self.states: dict[str, str] = {}
        self.page = ""
        self.answers = 0

    async def __aenter__(self):
        self.socket = await websockets.connect(
            f"{self.address}/_stcore/stream", subprotocols=["streamlit"], max_size=None
        )
        await self._send(query=f"model={self.model}")
        await self._read_until(ForwardMsg.FINISHED_SUCCESSFULLY)
        return self

    async def __aexit__(self, *exception):
        await self.socket.close()

    async def _send(self, query="", fragment="", trigger=None):
        message = BackMsg()
        run = message.rerun_script
        run.query_string, run.page_name, run.fragment_id = query, "sliders", fragment
        run.page_script_hash = self.page
        for widget, value in self.states.items():
            run.widget_states.widgets.add(id=widget, json_value=value)
        if trigger:
            run.widget_states.widgets.add(id=trigger[0], json_trigger_value=trigger[1])
        await self.socket.send(message.SerializeToString())

    async def _read_until(self, end: int):
        """Read what a run sends, until it ends in the given way; other ends lead to reruns."""
        while True:
            message = ForwardMsg()
            message.ParseFromString(await self.socket.recv())
            kind = message.WhichOneof("type")
            if kind == "navigation":
                self.page = message.navigation.page_script_hash
            if kind == "delta" and message.delta.new_element.HasField("bidi_component"):
                component = message.delta.new_element.bidi_component
                if component.id.endswith("-live_panel"):
                    self.panel, self.fragment = component.id, message.delta.fragment_id
                    self.data = json.loads(json.loads(component.json)["props"])
                    self.states.setdefault(component.id, "{}")
            if kind == "script_finished" and message.script_finished == end:
                return

    async def ask(self, seq: int):
        """What a drag sends on the server path."""
        z = [v + 0.001 * seq for v in self.data["z"]]
        ask = {"panel": "x", "model": self.model, "seq": seq, "zs": [z], "y": 0}
        self.states[self.panel] = json.dumps({"ask": ask})
        await self._send(fragment=self.fragment)
        await self._read_until(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)

    async def commit(self, seq: int):
        """What a release sends on either path."""
        z = [v + 0.01 * (-1) ** seq for v in self.data["z"]]
        event = {"event": "commit", "value": {"model": self.model, "z": z, "y": 0}}
        trigger = (f"$$STREAMLIT_INTERNAL_KEY_{self.panel}__events", json.dumps([event]))
        await self._send(fragment=self.fragment, trigger=trigger)
        # the fragment asks for the whole page
        await self._read_until(ForwardMsg.FINISHED_SUCCESSFULLY)
        self.answers += 1


@contextlib.contextmanager
def users(address: str, model: str, count: int, server_path: bool):
    """Count users who each move a slider once a second: on the server path a drag of ten
    pictures and a release, on the browser path the release alone."""
    stop = asyncio.Event()

    async def one(number: int):
        async with User(address, model) as user:
            await asyncio.sleep(number / max(count, 1))  # not all on the same beat
            seq = 0
            while not stop.is_set():
                begun = asyncio.get_running_loop().time()
                for _ in range(10 if server_path else 0):
                    seq += 1
                    await user.ask(seq)
                await user.commit(seq := seq + 1)
                rest = 1 - (asyncio.get_running_loop().time() - begun)
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(stop.wait(), max(rest, 0.001))
            return user.answers

    async def everyone():
        return await asyncio.gather(*(one(k) for k in range(count)))

    with _loop_in_a_thread() as loop:
        running = asyncio.run_coroutine_threadsafe(everyone(), loop)
        yield running
        loop.call_soon_threadsafe(stop.set)
        running.result(60)

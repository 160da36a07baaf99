"""A tab of a browser that draws nothing: it speaks Streamlit's protocol with a server on this machine.

It learns pages, widgets and fragments from the server's messages, sends the states of the shown widgets with each
rerun, and fetches the modules and model files that the components name, each once. It does not fetch Streamlit's own
scripts.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

T = TypeVar("T")
TIMEOUT = 60.0  # seconds a run may take
EVENTS = "$$STREAMLIT_INTERNAL_KEY_{}__events"  # the id under which a component sends events
MODULE = re.compile(r'"(/[^"]*/modules/[^"]+)"')
HOSTS = ("127.0.0.1", "localhost")
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
ENDS = (
    ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
    ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
)  # fmt: skip


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine, also where this thread already runs a loop, as Playwright's does."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Tab:
    """One session. `async with Tab(address) as tab: await tab.open("sliders", "model=...")`."""

    def __init__(self, address: str):
        self.host = urlsplit(address).netloc
        assert self.host.split(":")[0] in HOSTS, "only a server on this machine"
        self.page, self.query, self.cookie = "", "", ""
        self.pages: dict[str, str] = {}  # {url_path: hash of the page's script}
        self.widgets: dict[str, Any] = {}  # {id: message} of the shown widgets and components
        self.fragments: dict[str, str] = {}  # {id: fragment} of the widgets in fragments
        self.states: dict[str, WidgetState] = {}
        self.errors: list[str] = []  # what the page shows of exceptions, and addresses that cannot be fetched
        self.texts: list[str] = []  # of the last run: headings, Markdown and alerts
        self.fetched: set[str] = set()
        self._fetching: set[asyncio.Task] = set()
        self._cached: dict[str, ForwardMsg] = {}  # large messages, which the server sends once
        self._shown: set[str] | None = None  # ids in the current run of the whole page
        self._socket: websockets.ClientConnection | None = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        for task in self._fetching:
            task.cancel()
        if self._socket is not None:
            await self._socket.close()

    async def open(self, page: str = "", query: str = "") -> float:
        """Open a page as an address does. Returns the seconds from the request to the end of the first run."""
        began = time.perf_counter()
        head, _ = await self._request("GET", f"/{page}?{query}")
        found = re.search(rb"set-cookie: ([^;\r]+)", head, re.IGNORECASE)
        self.cookie = found[1].decode() if found else ""
        self._socket = await websockets.connect(
            f"ws://{self.host}/_stcore/stream", subprotocols=["streamlit"], max_size=None, origin=f"http://{self.host}",
            additional_headers={"Cookie": self.cookie} if self.cookie else {},
            open_timeout=TIMEOUT, ping_interval=None,  # a browser sends no pings
        )  # fmt: skip
        self.query = query
        await self.rerun(page_name=page)
        return time.perf_counter() - began

    async def turn_to(self, page: str) -> float:
        """Click a page in the navigation. Returns seconds, as rerun does."""
        self.query = ""
        return await self.rerun(page=self.pages[page])

    async def go_back_to(self, page: str, query: str) -> float:
        """Press Back, which leads to a link. Returns seconds, as rerun does."""
        self.query = query
        return await self.rerun(page=self.pages[page], history=True)

    async def choose(self, id: str, **value) -> float:
        """Give a widget a value (string_value="..."). Returns seconds, as rerun does."""
        self.states[id] = WidgetState(id=id, **value)
        return await self.rerun(fragment=self.fragments.get(id, ""))

    async def emit(self, id: str, event: str, value: Any) -> float:
        """Send an event of a component. Returns seconds, as rerun does."""
        trigger = WidgetState(
            id=EVENTS.format(id), json_trigger_value=json.dumps([{"event": event, "value": value}])
        )
        return await self.rerun(trigger, fragment=self.fragments.get(id, ""))

    async def upload(self, id: str, *files: tuple[str, bytes]) -> float:
        """Give a file uploader files (name, content). Returns the seconds of the rerun, as rerun does."""
        asks = BackMsg()
        asks.file_urls_request.request_id = id
        asks.file_urls_request.file_names.extend(name for name, _ in files)
        await self._socket.send(asks.SerializeToString())
        async with asyncio.timeout(TIMEOUT):
            addresses = list((await self._read_until("file_urls_response")).file_urls)
        head, _ = await self._request("GET", "/_stcore/health")
        token = re.search(rb"_streamlit_xsrf=([^;\r]+)", head)[1].decode()
        state = WidgetState(id=id)
        for (name, content), urls in zip(files, addresses, strict=True):
            part = f'--part\r\nContent-Disposition: form-data; name="file"; filename="{quote(name)}"\r\n\r\n'.encode()
            head, _ = await self._request(
                "PUT", urls.upload_url, part + content + b"\r\n--part--\r\n",
                {"Content-Type": "multipart/form-data; boundary=part", "X-Xsrftoken": token},
                f"_streamlit_xsrf={token}",
            )  # fmt: skip
            if b" 204 " not in head.split(b"\r\n")[0]:
                self.errors.append(f"an upload of {len(content)} bytes: {head[:40]!r}")
                continue
            info = state.file_uploader_state_value.uploaded_file_info.add()
            info.name, info.size, info.file_id = name, len(content), urls.file_id
            info.file_urls.CopyFrom(urls)
        self.states[id] = state
        return await self.rerun(fragment=self.fragments.get(id, ""))

    async def rerun(
        self, *triggers: WidgetState, page: str = "", page_name: str = "", fragment: str = "", history: bool = False
    ) -> float:
        """Rerun the page or one of its fragments. Returns the seconds from the message to the end of the last run that
        it leads to."""
        message = BackMsg()
        run = message.rerun_script
        run.query_string, run.page_name, run.fragment_id = self.query, page_name, fragment
        run.page_script_hash, run.is_history_navigation = page or self.page, history
        run.cached_message_hashes.extend(self._cached)
        run.widget_states.widgets.extend([*self.states.values(), *triggers])
        began = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        async with asyncio.timeout(TIMEOUT):
            await self._read_to_the_end()
        return time.perf_counter() - began

    def find(self, key: str) -> str:
        """Return the id of the shown widget with a key; "" for none."""
        return next((id for id in self.widgets if id.endswith(f"-{key}")), "")

    def props(self, id: str) -> dict:
        """Return the props of a component."""
        return json.loads(json.loads(self.widgets[id].json)["props"])

    # ---- what the server sends

    async def _read_to_the_end(self) -> None:
        await self._read_until("script_finished")
        self._forget()

    async def _read_until(self, last: str) -> Any:
        """Take what the server sends up to a message of this kind, and return that."""
        while True:
            message = ForwardMsg()
            message.ParseFromString(await self._socket.recv())
            kind = message.WhichOneof("type")
            if kind == "ref_hash":
                message, kind = self._cached[message.ref_hash], "delta"
            elif message.metadata.cacheable:
                self._cached[message.hash] = message
            if kind == "new_session":
                whole = not message.metadata.run.fragment_ids
                self._shown = set() if whole else None
                self.texts = [] if whole else self.texts
            elif kind == "navigation":
                self.page = message.navigation.page_script_hash
                self.pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
            elif kind == "delta":
                self._take(message.delta)
            elif kind == "script_finished" and message.script_finished in ENDS:
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    self.errors.append("the script cannot be compiled")
                if last == "script_finished":
                    return message.script_finished
            if kind == last and kind != "script_finished":
                return getattr(message, kind)

    def _take(self, delta) -> None:
        if delta.WhichOneof("type") == "add_block":
            block = delta.add_block
            kind = block.WhichOneof("type")
            content = getattr(block, kind) if kind else None
            if getattr(content, "id", ""):
                self._note(content.id, content, delta.fragment_id)
            return
        element = delta.new_element
        kind = element.WhichOneof("type")
        content = getattr(element, kind) if kind else None
        if kind == "exception":
            self.errors.append(f"{content.type}: {content.message}")
        elif kind in ("heading", "markdown", "alert"):
            self.texts.append(content.body)
        if getattr(content, "id", ""):
            self._note(content.id, content, delta.fragment_id)
        if kind in ("selectbox", "slider") and content.set_value:
            value = {"string_value": content.raw_value} if kind == "selectbox" else None
            if value:
                self.states[content.id] = WidgetState(id=content.id, **value)
            else:
                self.states.pop(content.id, None)
        if kind == "bidi_component":
            for address in MODULE.findall(content.js_content):
                self._fetch(address)
            if content.json and content.json.startswith('{"props"'):
                self._fetch_for(self.props(content.id))

    def _note(self, id: str, content, fragment: str) -> None:
        self.widgets[id] = content
        if fragment:
            self.fragments[id] = fragment
        if self._shown is not None:
            self._shown.add(id)

    def _forget(self) -> None:
        """Forget what the run of the whole page has not shown again."""
        if self._shown is not None:
            for held in (self.widgets, self.fragments, self.states):
                for id in held.keys() - self._shown:
                    del held[id]
        self._shown = None
        while len(self._cached) > 100:  # a browser drops those of earlier runs
            del self._cached[next(iter(self._cached))]

    # ---- what a browser fetches beside the page

    def _fetch_for(self, props: dict) -> None:
        if props.get("painted"):
            self._fetch(props["painted"], "POST")
        files = props.get("files")
        for address in files.values() if isinstance(files, dict) and "reason" not in files else ():
            self._fetch(address)
        if "query" in props and "entry" in props:  # the link, which the browser's address bar holds from now on
            self.query = props["query"]

    def _fetch(self, address: str, method: str = "GET") -> None:
        if address not in self.fetched:
            self.fetched.add(address)
            task = asyncio.create_task(self._fetch_now(method, address))
            self._fetching.add(task)
            task.add_done_callback(self._fetching.discard)

    async def _fetch_now(self, method: str, address: str) -> None:
        try:
            head, _ = await self._request(method, address)
            if not re.match(rb"HTTP/1.1 20", head):
                self.errors.append(f"{address}: {head[:40]!r}")
        except OSError as error:
            self.errors.append(f"{address}: {error}")

    async def _request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = NO_HEADERS, cookie: str = ""
    ) -> tuple[bytes, bytes]:
        """Return the head and the body of an answer. cookie: one beside the visitor's own."""
        reader, writer = await asyncio.open_connection(*self.host.split(":"))
        try:
            cookies = "; ".join(filter(None, [self.cookie, cookie]))
            fields = {
                "Host": self.host, "Connection": "close", "Accept-Encoding": "gzip", "Content-Length": len(body),
                **headers, **({"Cookie": cookies} if cookies else {}),
            }  # fmt: skip
            lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
            writer.write("\r\n".join(lines).encode() + body)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            return head, body
        finally:
            writer.close()

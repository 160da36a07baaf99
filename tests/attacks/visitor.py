"""A stranger's ways into the app, over Streamlit's protocol: links, messages of components, pictures and files."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading
from typing import Any

import psutil

from ..benchmarks import load
from ..benchmarks.tab import Tab

MODEL = "mnist-vae-2d"
HOME = f"model={MODEL}"
# A component's key in a page, and the events that the page takes from it.
EVENTS = {
    "": {"home_autoencoder": ("move", "open"), "history_link": ("reconnected",)},
    "sliders": {
        "live_panel": ("commit", "ask", "random", "attribute", "lock", "rename"),
        "sliders_start_picture": ("pick", "more", "own", "file"),
    },
    "map": {"scatter": ("pick", "path", "lasso", "ask"), "map_image_picture": ("pick", "own", "file")},
    "interpolate": {"interpolate_frames": ("pick",), "interpolate_A_picture": ("pick", "more", "own", "file")},
    "sample": {"sample_grid": ("pick",)},
    "inside": {"inside_panel": ("take",)},
    "match": {"match_panel": ("ask", "finished")},
    "train": {"train_panel": ("beta", "missing")},  # "act" begins trainings
    "lessons": {"lesson_progress": ("kept", "forgot")},
}
POPOVERS = {"train_files": "train_own", "sliders_start_picture": "sliders_image"}  # that hold a part only while open


class Stranger:
    """A visitor of a running server, whose actions are functions that wait."""

    def __init__(self, address: str, process: psutil.Process):
        self.process, self.loop = process, asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()  # Playwright's loop may run in this one
        self.tab, self.shown = Tab(address), ""  # shown: the page of the usual model, if it is shown
        self._do(self.tab.open("sliders", HOME))

    def _do(self, work) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(120)

    def close(self) -> None:
        self._do(self.tab.__aexit__())
        self.loop.call_soon_threadsafe(self.loop.stop)

    def megabytes(self) -> float:
        return load.megabytes(self.process)

    def open_link(self, page: str, query: str) -> None:
        """Open a link as Back does, which reads it in the same session."""
        self.shown = ""
        self._do(self.tab.go_back_to(page, query))

    def open_in_new_tab(self, page: str, query: str) -> list[str]:
        """Open a link in a session of its own. Returns what the page says."""

        async def open_tab() -> list[str]:
            async with Tab(f"http://{self.tab.host}") as tab:
                await tab.open(page, query)
                self.tab.errors += tab.errors
                return tab.texts

        return self._do(open_tab())

    def on_page(self, page: str) -> None:
        """Have a page of the usual model shown."""
        if self.tab.pages[page] != self.tab.page or page != self.shown:
            self.open_link(page, HOME)
            self.shown = page

    def send(self, page: str, key: str, event: str, value: Any) -> bool:
        """Send an event of a component. Returns False where the page shows no such component."""
        self.on_page(page)
        if not self.tab.find(key):
            self._open_popover_of(key)
        if component := self.tab.find(key):
            self._do(self.tab.emit(component, event, value))
        return bool(component)

    def send_picture(self, content: bytes, name: str = "photo.jpg") -> str:
        """Send a file for a picture. Returns the page's sentence; "" where it is taken."""
        sent = {"id": "file-1", "name": name, "content": base64.b64encode(content).decode()}
        self.send("interpolate", "interpolate_A_picture", "file", sent)
        return (self.tab.props(self.tab.find("interpolate_A_picture"))["answer"] or {}).get("error", "")

    def upload(self, page: str, key: str, name: str, content: bytes) -> list[str]:
        """Give a file to a page's uploader, which may be in a popover. Returns what the page says."""
        self.on_page(page)
        if not (found := self._uploaders(key)):
            self._open_popover_of(key)
            found = self._uploaders(key)
        self._do(self.tab.upload(found[0], (name, content)))
        return self.tab.texts

    def _open_popover_of(self, key: str) -> None:
        if popover := self.tab.find(POPOVERS.get(key, "no popover")):
            self._do(self.tab.choose(popover, bool_value=True))

    def _uploaders(self, key: str) -> list[str]:
        return [id for id, widget in self.tab.widgets.items() if f"-{key}" in id and _is_uploader(widget)]

    def request(self, method: str, path: str, **options: Any) -> bytes:
        """Return the first line of the answer to a request."""
        head, _ = self._do(self.tab._request(method, path, **options))
        return head.split(b"\r\n")[0]

    def still_works(self) -> None:
        """Move z on Sliders, as a visitor would next, and see that the server has taken it."""
        self.open_link("sliders", HOME)
        panel = self.tab.find("live_panel")
        z = [round(0.5 - value / 3, 4) for value in self.tab.props(panel)["z"]]
        sent = {"model": self.tab.props(panel)["model"], "z": z, "y": 0, "panel": "test", "commit": 1}
        self._do(self.tab.emit(panel, "commit", sent))
        assert self.tab.props(self.tab.find("live_panel"))["z"] == z
        self.no_exception()

    def no_exception(self) -> None:
        """Fail where the page has shown an exception, or an address of it could not be fetched."""
        errors, self.tab.errors, self.shown = self.tab.errors, [], "" if self.tab.errors else self.shown
        assert not errors, errors


def _is_uploader(widget: Any) -> bool:
    return type(widget).__name__ == "FileUploader"


@contextlib.contextmanager
def stranger():
    """A stranger at a server of its own, on which every page has been opened."""
    with load.shared_server(STREAMLIT_CLIENT_SHOW_ERROR_DETAILS="full") as (address, process):
        visitor = Stranger(address, process)
        for page in visitor.tab.pages:
            visitor.open_link(page, HOME)
        yield visitor
        visitor.close()

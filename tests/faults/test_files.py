"""Files under pretrained/ that are removed or damaged while the app runs: one sentence, and the rest goes on."""

import shutil

import pytest

from ..benchmarks.tab import Tab, run
from ..browser.app_server import ROOT
from ..long import some_long
from .servers import Server

pytestmark = pytest.mark.slow
KEPT, BROKEN = "mnist-vae-2d", "mnist-vae-16d"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the app with a few models, which tests may damage."""
    copy = tmp_path_factory.mktemp("app")
    for name in ("pages", "vae", ".streamlit"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", copy)
    for name in (KEPT, BROKEN, "mnist-ae-2d", "classifiers"):
        shutil.copytree(ROOT / "pretrained" / name, copy / "pretrained" / name)
    (copy / "pretrained" / "galleries").mkdir()
    shutil.copy(ROOT / "pretrained" / "galleries" / "mnist.npz", copy / "pretrained" / "galleries")
    return copy


@pytest.fixture(scope="module")
def server(copy):
    with Server(copy, VAE_SHARED="1", VAE_SESSIONS="off") as server:
        yield server


def remove(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garble(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = bytes(400)
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


async def walk(tab, model):
    """Open every page with a model. Returns what the pages say."""
    said = {}
    for page in tab.pages:
        await tab.go_back_to(page, f"model={model}")
        said[page] = list(tab.texts)
    return said


async def visit(server, damage, heal):
    """A visitor who is there before the damage, one who comes after it, and both when it has been mended. Returns what
    the pages say meanwhile."""
    async with Tab(f"http://{server.address}") as there:
        await there.open("sliders", f"model={KEPT}")
        damage()
        await releases(there)
        said = await walk(there, BROKEN)
        async with Tab(f"http://{server.address}") as new:
            await new.open("sliders", f"model={KEPT}")
            await releases(new)
            await walk(new, KEPT)
            said |= {f"new {page}": texts for page, texts in (await walk(new, BROKEN)).items()}
            heal()
            mended = await walk(new, BROKEN)
            await releases(there)
            assert not new.errors, new.errors
        assert not there.errors, there.errors
    assert not any("unavailable" in text for texts in mended.values() for text in texts)
    return said


async def releases(tab):
    """Move z on Sliders, and see that the server has taken it."""
    await tab.go_back_to("sliders", f"model={KEPT}")
    panel = tab.find("live_panel")
    props = tab.props(panel)
    z = [round(value + 0.25, 4) for value in props["z"]]
    await tab.emit(panel, "commit", {"model": props["model"], "z": z, "y": 0, "panel": "test", "commit": 1})
    assert tab.props(tab.find("live_panel"))["z"] == z


UNAVAILABLE = f"{BROKEN} is unavailable: its"
KEPT_CASES = [  # of which CI runs these
    ("model.safetensors", garble, f"{UNAVAILABLE} weights are damaged"), ("map.npz", remove, ""),
    ("network.json", garble, ""),
]  # fmt: skip


@pytest.mark.parametrize("file, damage, says", some_long([
    ("model.safetensors", remove, f"{UNAVAILABLE} weights (model.safetensors) are missing"),
    ("model.safetensors", cut, f"{UNAVAILABLE} weights are damaged"),
    ("model.safetensors", garble, f"{UNAVAILABLE} weights are damaged"),
    ("card.json", remove, f"{UNAVAILABLE} card.json is missing"),
    ("card.json", empty, f"{UNAVAILABLE} card.json cannot be read"),
    ("map.npz", remove, ""), ("map.npz", garble, ""),  # Map says it
    ("network.json", remove, ""), ("network.json", garble, ""),  # exported again
    ("cover.webp", remove, ""),  # drawn again
], KEPT_CASES))  # fmt: skip
def test_a_file_of_a_model(copy, server, file, damage, says):
    path = copy / "pretrained" / BROKEN / file
    whole = path.read_bytes()
    said = run(visit(server, lambda: damage(path), lambda: path.write_bytes(whole)))
    for page in ("sliders", "new sliders", "map", "new map"):
        assert any(says in text for text in said[page]), said[page]
    if file == "map.npz":
        assert any("no map" in text for text in said["new map"]), said["new map"]


@pytest.mark.parametrize("what", ["pretrained", "pretrained/galleries"])
def test_a_folder_that_is_gone_for_a_while(copy, server, what):
    async def visit():
        async with Tab(f"http://{server.address}") as tab:
            await tab.open("sliders", f"model={KEPT}")
            (copy / what).rename(copy / "elsewhere")
            try:
                await tab.go_back_to("sliders", f"model={KEPT}")
                said = list(tab.texts)
            finally:
                (copy / "elsewhere").rename(copy / what)
            await releases(tab)
            assert not tab.errors, tab.errors
            return said

    said = run(visit())
    assert any("No model can be used" in text or "There are no models" in text for text in said), said

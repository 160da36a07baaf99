"""How tests reach into the live panel, which lives in a shadow root."""

from __future__ import annotations

import urllib.parse

import numpy as np
import torch

import vae

from .app_server import CENTRE, settle

ROOT = """[...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
  .find(r => r.querySelector('canvas.picture'))"""

PANEL = f"(() => {{ const root = {ROOT}; return root.panel ?? root.host.panel }})()"


def open_page(page, address, path="", **query):
    page.goto(f"{address}/{path}?{urllib.parse.urlencode(query)}")
    page.wait_for_selector("h1", timeout=60_000)
    settle(page)


def open_panel(page, address, **query):
    """The Sliders page, its decoder at work in the browser."""
    open_page(page, address, "sliders", **query)
    page.wait_for_function(
        f"() => window.latentSpaceExplorer?.models.size && {ROOT}?.querySelector('.line').textContent",
        timeout=60_000,
    )
    settle(page)


def z_in_url(page):
    page.wait_for_function("() => new URLSearchParams(location.search).has('z')")  # a page just opened has none yet
    query = urllib.parse.parse_qs(urllib.parse.urlparse(page.url).query)
    return [float(v) for v in query["z"][0].split(",")]


def in_query(z):
    """What the link says of this point: all of it, to the next parameter."""
    return "z=" + "%2C".join(f"{v:g}" for v in z) + "&"


def wait_for_another_z(page, z):
    page.wait_for_function("z => !location.search.includes(z)", arg=in_query(z))
    settle(page)


def released(page):
    """Wait until the server has answered every release and the link says where the hand has left the panel."""
    page.wait_for_function(
        f"""() => {{ const {{ z, unanswered, waiting, holding }} = {PANEL};
          const said = new URLSearchParams(location.search).get('z').split(',').map(Number);
          return !unanswered && !waiting && !holding && z.every((v, d) => Math.abs(v - said[d]) < 1e-3) }}"""
    )
    settle(page)


def drawn(page):
    """Wait until the film strips and the pad show what stands around the point."""
    page.wait_for_function(f"() => !{PANEL}.holding && !{PANEL}.unfinished")


def drag(page, name, y=None, parts=(0.35, 0.6, 0.8)):
    """Take the first slider to some parts of its track. The picture follows before anything is released."""
    slider = page.locator("input[type=range]").first
    slider.evaluate(CENTRE)
    box = slider.bounding_box()
    middle, said = box["y"] + box["height"] / 2, z_in_url(page)
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    places = []
    for part in parts:
        page.mouse.move(box["x"] + box["width"] * part, middle, steps=4)
        places.append(page.evaluate(f"[...{PANEL}.z]"))
        shows(page, name, places[-1], y)
    assert len({tuple(z) for z in places}) == len(parts)
    assert z_in_url(page) == said


def until(page, holds, seconds=15):
    """Wait until something holds: what a busy machine shows later is right all the same."""
    for _ in range(10 * seconds):
        if holds():
            return
        page.wait_for_timeout(100)
    assert holds()


def pixels(page):
    """The picture on the canvas, (H, W, 3)."""
    height, width, values = page.evaluate(
        f"() => {{ const c = {ROOT}.querySelector('canvas.picture');"
        " return [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]] }"
    )
    return np.array(values).reshape(height, width, 4)[:, :, :3]


def shows(page, name, z=None, y=None):
    """Wait until the picture is the one that torch decodes of a point, the link's if none is given."""
    z = z_in_url(page) if z is None else z
    until(page, lambda: np.allclose(pixels(page), decoded(name, z, y), atol=1))


def decoded(name, z, y=None):
    y = None if y is None else torch.tensor([y])
    x = vae.load(name).decode(torch.tensor([z], dtype=torch.float32), y)[0]
    return x.permute(1, 2, 0).numpy() * 255  # (H, W, C); one channel is all three on the canvas


def line(page):
    return page.evaluate(f"() => {ROOT}.querySelector('.line').textContent")


def painted(page):
    return int(page.locator("canvas.picture[data-painted]").get_attribute("data-painted"))


def show_all_sliders(page):
    """Show the sliders that Match begins without, if there are any."""
    more = page.get_by_role("button", name="more dimensions")
    if more.is_visible():
        more.click()

"""How tests reach into the live panel, which lives in a shadow root."""

from __future__ import annotations

import urllib.parse

import numpy as np
import torch

import vae

from .app_server import settle

ROOT = """[...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
  .find(r => r.querySelector('canvas.picture'))"""

# moves the first slider `perSecond` times a second and gives, for each input event, the time
# until a new picture stood on the canvas and the frame that shows it had begun
DRAG = (
    """async ([seconds, perSecond]) => {
  const root = """
    + ROOT
    + """;
  const canvas = root.querySelector('canvas.picture'), input = root.querySelector('input[type=range]');
  const pictures = new Set(), waits = [];
  let painted = 0, asked = 0, since = 0;
  const observer = new MutationObserver(() => {
    painted++;
    pictures.add(canvas.toDataURL());
    const from = since;
    requestAnimationFrame(() => waits.push(performance.now() - from));
  });
  observer.observe(canvas, { attributeFilter: ['data-painted'] });
  const low = Number(input.min), high = Number(input.max);
  const start = performance.now();
  for (let now = start; now - start < 1000 * seconds; now = performance.now()) {
    asked++;
    since = performance.now();
    input.value = low + (high - low) * (0.5 + 0.45 * Math.sin((now - start) / 200));
    input.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise(next => setTimeout(next, 1000 / perSecond));
  }
  const elapsed = (performance.now() - start) / 1000;
  input.dispatchEvent(new Event('change', { bubbles: true }));
  await new Promise(next => setTimeout(next, 50));
  observer.disconnect();
  return { asked, painted, different: pictures.size, waits, perSecond: painted / elapsed };
}"""
)


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
    query = urllib.parse.parse_qs(urllib.parse.urlparse(page.url).query)
    return [float(v) for v in query["z"][0].split(",")]


def in_query(z):
    """What the link says of this point: all of it, to the next parameter."""
    return "z=" + "%2C".join(f"{v:g}" for v in z) + "&"


def wait_for_another_z(page, z):
    page.wait_for_function("z => !location.search.includes(z)", arg=in_query(z))
    settle(page)


def released(page):
    """Wait until the link says where the hand has left the panel."""
    page.wait_for_function(
        f"""() => {{ const root = {ROOT}, {{ z }} = root.panel ?? root.host.panel;
          const said = new URLSearchParams(location.search).get('z').split(',').map(Number);
          return z.every((v, d) => Math.abs(v - said[d]) < 1e-3) }}"""
    )
    settle(page)


def until(page, holds, seconds=15):
    """Wait until something holds: what a busy machine shows later is right all the same."""
    for _ in range(10 * seconds):
        if holds():
            return
        page.wait_for_timeout(100)
    assert holds()


def pixels(page):
    """The picture on the canvas, (H, W) grey."""
    height, width, values = page.evaluate(
        f"() => {{ const c = {ROOT}.querySelector('canvas.picture');"
        " return [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]] }"
    )
    return np.array(values).reshape(height, width, 4)[:, :, 0]


def shows(page, name, z=None, y=None):
    """Wait until the picture is the one that torch decodes of a point, the link's if none is given."""
    z = z_in_url(page) if z is None else z
    until(page, lambda: np.allclose(pixels(page), decoded(name, z, y), atol=1))


def decoded(name, z, y=None):
    y = None if y is None else torch.tensor([y])
    return vae.load(name).decode(torch.tensor([z], dtype=torch.float32), y)[0, 0].numpy() * 255


def line(page):
    return page.evaluate(f"() => {ROOT}.querySelector('.line').textContent")


def painted(page):
    return int(page.locator("canvas.picture[data-painted]").get_attribute("data-painted"))

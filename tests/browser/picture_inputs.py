"""Picture inputs on a page of plain HTML, and hands that draw, choose, paste and drop."""

from __future__ import annotations

import base64
import dataclasses
import io
import json

import numpy as np
from PIL import Image, ImageDraw

from vae.browser.bundle import inline
from vae.data import DATASETS, pictures

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Picture inputs</title>
<style>
main {{ display: grid; gap: 24px; max-width: {width}px; height: 3000px; align-content: start }}
</style>
</head>
<body>
<main></main>
{script}
<script type="application/json" id="data">{data}</script>
</body>
</html>
"""

# a browser that protects against fingerprinting
ALTERED = """CanvasRenderingContext2D.prototype.getImageData = (x, y, width, height) =>
  new ImageData(Uint8ClampedArray.from({ length: 4 * width * height }, () => 256 * Math.random()), width, height)"""


def props_of(key="start", name="start image", data="mnist", **changes):
    """The props of a picture input whose first test image is in use."""
    info = DATASETS[data]
    x, labels = info.load("test").batch(range(12))
    pixels = np.round(x.permute(0, 2, 3, 1).numpy() * 255).astype(np.uint8)
    return {
        "key": key, "name": name, "data": data, "noun": info.noun, "shape": list(info.image_shape),
        "preparation": dataclasses.asdict(info.preparation), "crisp": info.crisp, "draws": True,
        "gallery": {
            "sheet": pictures.data_uri(pictures.to_image(pictures.tile(pixels, 12))), "n": 12, "across": 12, "down": 1,
            "width": 28, "height": 28,
            "labels": [f"{int(label)}, test image {row}" for row, label in enumerate(labels)],
        },
        "selected": 0, "choice": {"kind": "row"}, "x": base64.b64encode(pixels[0].tobytes()).decode(),
        "caption": "test image 0: 7", "answer": None, "remark": "", "maxBytes": 25 * 2**20,
        "sent": "Only these 28 × 28 pixels are sent. Your picture stays in this browser tab.",
        "altered": "A file is sent as it is.", "weights": "", **changes,
    }  # fmt: skip


def page_of(script, parts, width=1200):
    """The HTML of a page with a bundled script and the props of its picture inputs, {id: props}."""
    return PAGE.format(script=inline(script), data=json.dumps(parts).replace("</", "<\\/"), width=width)


def decoded(own):
    """The x of a message, (28, 28) from 0 to 255."""
    return np.frombuffer(base64.b64decode(own["x"]), np.uint8).reshape(28, 28)


def file_of(picture, kind="PNG", **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def bar(size=(400, 300), box=(180, 40, 220, 260), paper=250, ink=20):
    """A dark bar on light paper, upright in the middle unless told otherwise."""
    picture = Image.new("RGB", size, (paper,) * 3)
    ImageDraw.Draw(picture).rectangle(box, fill=(ink,) * 3)
    return picture


def is_upright(x):
    """Whether the ink of x (28, 28) is higher than wide; its middle is ink and its corners are not."""
    assert x[14, 14] > 150 and x[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 60, x
    rows, columns = np.flatnonzero((x > 127).any(1)), np.flatnonzero((x > 127).any(0))
    return np.ptp(rows) > np.ptp(columns)


def emitted(page, event, part="start"):
    """The values that a picture input has emitted with an event."""
    return page.evaluate(
        "([part, event]) => emitted.filter((one) => one[0] === part && one[1] === event).map((one) => one[2])",
        [part, event],
    )


def next_own(page, n, part="start"):
    """Wait for the n-th prepared picture of a part; the last one."""
    page.wait_for_function(
        "([part, n]) => emitted.filter((one) => one[0] === part && one[1] === 'own').length >= n", arg=[part, n]
    )
    found = emitted(page, "own", part)
    assert len(found) == n
    return found[-1]


def tab(page, name, part="start"):
    page.locator(f"#{part}").get_by_role("tab", name=name).click()


def draw(page, places, part="start"):
    """Draw a stroke with the mouse, through places in fractions of the pad."""
    pad = page.locator(f"#{part} .pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def choose(page, content, name="picture.png", part="start"):
    """Choose a file in the browser's dialog."""
    tab(page, "Photo or file", part)
    with page.expect_file_chooser() as chooser:
        page.locator(f"#{part}").get_by_role("button", name="Choose a file").click()
    chooser.value.set_files({"name": name, "mimeType": "", "buffer": content})


TRANSFER = """([content, name, type]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  transfer.items.add(new File([bytes], name, { type }));
  return transfer;
}"""


def transfer_of(page, content, name="picture.png", kind="image/png"):
    return page.evaluate_handle(TRANSFER, [base64.b64encode(content).decode(), name, kind])


def paste(page, content, **about):
    page.evaluate(
        "(clipboardData) => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true, composed: true }))",  # noqa: E501
        transfer_of(page, content, **about),
    )


def drag_event(page, name, transfer, part="start"):
    page.evaluate(
        "([name, dataTransfer, id]) => document.getElementById(id).dispatchEvent("
        "new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }))",
        [name, transfer, part],
    )


class Touch:
    """Fingers on the screen, as Chromium's own input: {finger: place in CSS pixels}."""

    def __init__(self, page):
        self.session, self.down = page.context.new_cdp_session(page), {}

    def __call__(self, kind, finger, place=None):
        self.down = {**self.down, finger: place}
        if kind == "touchEnd":
            del self.down[finger]
        points = [{"x": x, "y": y, "id": one} for one, (x, y) in self.down.items()]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

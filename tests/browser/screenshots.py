"""Takes the README's animated picture, a hand on sliders: python -m tests.browser.screenshots [--all --to FOLDER]

--all: instead every page at 1440 and 390 px, light and dark.
"""

from __future__ import annotations

import argparse
import io
import math
from pathlib import Path

from PIL import Image

from .app_server import chromium, running_app, settle, watch
from .panel import drawn, released

SHOTS = {
    "home": ("", {}),
    "sample": ("sample", {"model": "fashion-vae-16d", "seed": "3"}),
    "sliders": ("sliders", {"model": "mnist-vae-16d"}),
    "interpolate": ("interpolate", {"model": "mnist-vae-16d"}),
    "map": ("map", {"model": "mnist-vae-16d"}),
    "disentangle": ("disentangle", {"model": "rooms-ada"}),
    "compare": ("compare", {"model": "mnist-vae-2d", "beside": "mnist-ae-2d"}),
    "inside": ("inside", {"model": "mnist-vae-2d"}),
    "match": ("match", {"seed": "1"}),
    "uses": ("uses", {"model": "mnist-vae-16d", "use": "filling"}),
    "lesson": ("inside", {"model": "mnist-vae-16d", "lesson": "terms.2"}),
    "codes": ("sliders", {"model": "mnist-vqvae", "seed": "3"}),
    "faces": ("sliders", {"model": "faces-vae"}),
    "glyphs": ("sample", {"model": "glyphs-cvae", "y": "6"}),
    "glossary": ("glossary", {}),
}
# the hand's way: (slider, from, to), in shares of the slider's width
WAY = [(0, 0.5, 0.95), (0, 0.95, 0.1), (1, 0.5, 0.9), (1, 0.9, 0.2)]
STEPS = 16  # frames along one part of the way
FRAME_TIME = 70  # ms
WIDTH = 960  # px of the animated picture
HAND = """() => {
  const hand = document.createElement('div');
  hand.id = 'hand';
  hand.style.cssText = 'position: fixed; z-index: 9999999; pointer-events: none; width: 34px; translate: -15px -2px';
  hand.innerHTML = `<svg viewBox="0 0 34 40"><path fill="#fff" stroke="#111" stroke-width="1.6" d="M12 3a3 3 0 0 1 6
    0v13l9 2.2c2.4.6 4 2.7 3.7 5.2L29.5 33c-.4 2.9-2.9 5-5.8 5H15.6c-2 0-3.8-1-4.9-2.6L3.3 24.6c-1-1.5-.6-3.5.9-4.5
    1.4-.9 3.2-.7 4.4.5L12 24z"/></svg>`;
  document.body.append(hand);
}"""
FOLDER = Path(__file__).parent / "screenshots"


def take(page, address: str, name: str, path: Path) -> None:
    where, query = SHOTS[name]
    page.goto(f"{address}/{where}?" + "&".join(f"{k}={v}" for k, v in query.items()))
    page.wait_for_selector("h1", timeout=60_000)
    settle(page)
    page.wait_for_timeout(1000)
    page.screenshot(path=path, animations="disabled")
    print(path)


def animate(page, address: str, path: Path) -> None:
    """Write the animated picture: a hand drags sliders of a model of rooms, and picture and plane follow."""
    page.goto(f"{address}/sliders?model=rooms-ada")
    page.wait_for_selector("canvas.picture", timeout=60_000)
    settle(page)
    drawn(page)  # the plane is decoded tile by tile
    page.evaluate(HAND)
    picture, last = page.locator("canvas.picture").bounding_box(), page.locator(".slider").nth(1).bounding_box()
    bottom = max(picture["y"] + picture["height"], last["y"] + last["height"])
    area = {
        "x": picture["x"] - 8, "y": picture["y"] - 8, "width": last["x"] + last["width"] - picture["x"] + 16,
        "height": bottom - picture["y"] + 16,
    }  # fmt: skip
    frames = []
    for slider, start, end in WAY:
        box = page.locator(".slider input[type=range]").nth(slider).bounding_box()
        y = box["y"] + box["height"] / 2
        place = lambda share, box=box: box["x"] + share * box["width"]  # noqa: E731
        page.mouse.move(place(start), y)
        page.mouse.down()
        for step in range(STEPS):
            x = place(start + (end - start) * (1 - math.cos(math.pi * step / (STEPS - 1))) / 2)
            page.mouse.move(x, y)
            page.evaluate("([x, y]) => Object.assign(hand.style, { left: `${x}px`, top: `${y}px` })", [x, y])
            page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            shot = Image.open(io.BytesIO(page.screenshot(clip=area))).convert("RGB")
            frames.append(shot.resize((WIDTH, round(WIDTH * shot.height / shot.width)), Image.Resampling.LANCZOS))
        page.mouse.up()
        released(page)
        drawn(page)  # or the next part would begin with half of the plane
    frames[0].save(
        path, "WEBP", save_all=True, append_images=frames[1:], duration=FRAME_TIME, loop=0, quality=70, method=4
    )
    print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--to", type=Path, default=FOLDER)
    args = parser.parse_args()
    args.to.mkdir(parents=True, exist_ok=True)
    sizes = [(1440, 900), (390, 844)] if args.all else [(1440, 900)]
    schemes = ["light", "dark"] if args.all else ["light"]
    with running_app() as address, chromium() as browser:
        for width, height in sizes:
            for scheme in schemes:
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                page = context.new_page()
                errors = watch(page)
                if not args.all:
                    animate(page, address, args.to / "sliders.webp")
                for name in SHOTS if args.all else ():
                    take(page, address, name, args.to / f"{name}-{width}-{scheme}.png")
                assert not errors, errors
                context.close()


if __name__ == "__main__":
    main()

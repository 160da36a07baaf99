"""Takes the README's picture: python -m tests.browser.screenshots [--all --to FOLDER]

--all: instead every page at 1440 and 390 px, light and dark.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .app_server import chromium, running_app, settle, watch

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
    "lesson": ("inside", {"model": "mnist-vae-16d", "lesson": "kl.2"}),
    "codes": ("sliders", {"model": "mnist-vqvae", "seed": "3"}),
    "faces": ("sliders", {"model": "faces-vae"}),
    "glyphs": ("sample", {"model": "glyphs-cvae", "y": "6"}),
}
IN_README = ("sliders",)
FOLDER = Path(__file__).parent / "screenshots"


def take(page, address: str, name: str, path: Path) -> None:
    where, query = SHOTS[name]
    page.goto(f"{address}/{where}?" + "&".join(f"{k}={v}" for k, v in query.items()))
    page.wait_for_selector("h1", timeout=60_000)
    settle(page)
    page.wait_for_timeout(1000)
    page.screenshot(path=path, animations="disabled")
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
                for name in SHOTS if args.all else IN_README:
                    file = f"{name}-{width}-{scheme}.png" if args.all else f"{name}.png"
                    take(page, address, name, args.to / file)
                assert not errors, errors
                context.close()


if __name__ == "__main__":
    main()

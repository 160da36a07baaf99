"""Open old links and find the same pictures. `python tests/app/test_old_links.py` records them anew.

old_links.json says what each link opened to before the modules of the app moved: the model, its code, the class,
how many complaints the page made, the decoded picture, and one picture that the page itself shows.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # a script's own folder is all that Python looks in

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from streamlit.testing.v1 import AppTest  # noqa: E402
from streamlit.util import calc_hash  # noqa: E402

import vae  # noqa: E402
from tests.app.events import written_link  # noqa: E402

RECORD = Path(__file__).with_name("old_links.json")
PAGES = (
    "home", "lessons", "sample", "sliders", "interpolate", "map", "disentangle", "inside", "uses", "compare", "match",
)  # fmt: skip
STATE = 8  # cells across the fingerprint of a decoded image
SHOWN = 12  # and of a picture that a page shows, often many images in one
SAME = 1  # hundredths: float noise moves a rounded number by no more
SAME_CODE = 2e-4  # twice what is rounded away


def numbers(n: int) -> str:
    """Return a code of n numbers as a link says it, some of them far out."""
    return ",".join(f"{2.2 * np.sin(1 + 1.7 * d):.4f}" for d in range(n))


# (page, what the link says, the key of the browser component whose picture is kept)
LINKS = [
    ("home", {}, ""),
    ("home", {"model": "no-such", "z": "0,0", "y": "3", "seed": "5", "use": "memory"}, ""),
    ("home", {"model": "fashion-vae-16d", "z": numbers(16), "seed": "12", "unheard": "of"}, ""),
    ("lessons", {"model": "mnist-cvae", "y": "3"}, ""),
    ("lessons", {"model": "mnist-vae-16d", "lesson": "kl.2"}, ""),
    ("lessons", {"model": "mnist-dvae", "lesson": "kl.99"}, ""),
    ("sample", {"model": "mnist-vae-16d", "seed": "7"}, "sample_grid"),
    ("sample", {"model": "mnist-ladder", "seed": "4"}, "sample_grid"),
    ("sample", {"model": "mnist-ae-16d", "seed": "3", "lesson": "why.2"}, "sample_grid"),
    ("sample", {"model": "glyphs-cvae", "z": numbers(24), "y": "30", "seed": "2147483647"}, "sample_grid"),
    ("sample", {"model": "mnist-vqvae", "seed": "2"}, "sample_grid"),
    ("sliders", {"model": "mnist-vae-2d", "z": "30,-30", "lesson": "walk.4"}, "live_panel"),
    ("sliders", {"model": "mnist-vae-2d", "z": "1,2,3"}, "live_panel"),
    ("sliders", {"model": "mnist-vae-16d", "z": "1"}, "live_panel"),
    ("sliders", {"model": "mnist-vae-2d", "z": "nan,0"}, "live_panel"),
    ("sliders", {"model": "mnist-ae-2d", "z": "1e9,0"}, "live_panel"),
    ("sliders", {"model": "mnist-cvae", "z": ""}, "live_panel"),
    ("sliders", {"model": "mnist-vae-2d", "z": "hello,you", "y": "5"}, "live_panel"),
    ("sliders", {"model": "mnist-vae-2d", "z": "1000,-1000", "seed": "-1"}, "live_panel"),
    ("sliders", {"model": "mnist-vae-2d", "z": "0.5,-1.25", "y": "5"}, "live_panel"),
    ("sliders", {"model": "mnist-cvae", "z": numbers(8), "y": "12"}, "live_panel"),
    ("sliders", {"model": "mnist-m2", "y": "seven"}, "live_panel"),
    ("sliders", {"model": "mnist-vqvae", "z": ",".join(["1.6", "-7", "900"] + ["3"] * 46)}, "code_grid"),
    ("sliders", {"model": "mnist-iaf", "names": "0:slant;3:width;1:<b>;99:far;x:y"}, "live_panel"),
    ("interpolate", {"model": "mnist-vamp", "z": numbers(50)}, "interpolate_frames"),
    ("interpolate", {"model": "faces-vaegan", "z": numbers(32), "seed": "6"}, "interpolate_frames"),
    ("interpolate", {"model": "mnist-cvae", "y": "2"}, "interpolate_frames"),
    ("map", {"model": "mnist-ae-2d", "lesson": "why.1"}, "map_nearest"),
    ("map", {"model": "fashion-vae-16d", "z": numbers(16)}, "map_nearest"),
    ("map", {"model": "mnist-m2", "z": numbers(16), "y": "-1"}, "map_nearest"),
    ("disentangle", {"model": "sprites-btcvae", "z": numbers(10)}, "disentangle_strips"),
    ("disentangle", {"model": "rooms-ada", "seed": "²"}, "disentangle_strips"),
    ("inside", {"model": "mnist-vae-2d", "z": "0.25,1.5", "lesson": "why.4"}, ""),
    ("inside", {"model": "mnist-vqvae"}, ""),
    ("uses", {"model": "mnist-dvae", "use": "denoising", "seed": "9"}, "denoise_pictures"),
    ("uses", {"model": "mnist-few", "use": "memory"}, "memory_0"),
    ("uses", {"model": "mnist-vae-16d", "use": "everything"}, "denoise_pictures"),
    ("compare", {"model": "mnist-ae-16d", "beside": "mnist-vae-16d,mnist-beta4,mnist-collapsed"},
        "compare_mnist-collapsed"),
    ("compare", {"model": "mnist-vae-2d", "beside": "no-such,mnist-vae-2d,mnist-ae-2d"}, "compare_mnist-ae-2d"),
    ("match", {"model": "sprites-btcvae", "seed": "3", "lesson": "factors.5"}, "match_panel"),
    ("sliders", {"model": "rooms-qlae", "z": numbers(12)}, "live_panel"),
]  # fmt: skip


def open_link(page: str, said: dict[str, str], **session) -> AppTest:
    """Open a link in a new session: one run, which begins with the page of this address. session: what it holds
    before."""
    app = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    # AppTest.switch_page wants the page's file, which may move; the address may not. Home has none of its own.
    app._page_hash = "" if page == "home" else calc_hash(page)
    app.query_params.update(said)
    for key, value in session.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception, app.exception
    arrived = app._finished_page_script_hash
    others = {calc_hash(other) for other in PAGES if other != "home"}
    # an unknown address opens Home
    assert arrived not in others if page == "home" else arrived == calc_hash(page), f"/{page} opens another page"
    return app


def found(app: AppTest) -> dict:
    """Return what a link has opened to, as the record keeps it."""
    s = app.session_state
    return {
        "model": s.model,
        "z": [round(v, 4) for v in s.z],
        "y": s.y,
        # what the page's own link says beside these; old_links.json may know less than a later link says
        "says": {key: value for key, value in written_link(app).items() if key not in ("model", "z", "y")},
        "complaints": [warning.value for warning in app.warning],
        "picture": decoded(s.model, s.z, s.y),
    }


def decoded(name: str, z, y: int) -> list[int]:
    """Return the fingerprint of the image that a model decodes from a code, under a class if it has any."""
    model = vae.load(name)
    with torch.no_grad():
        x = model.decode(torch.tensor([list(z)]), torch.tensor([y]) if model.num_classes else None)
    return fingerprint(x, STATE)


def fingerprint(x: torch.Tensor, across: int) -> list[int]:
    """Return the means of across * across cells of an image (1, C, H, W) in [0, 1], by channel and row, in hundredths."""  # noqa: E501
    cells = torch.nn.functional.adaptive_avg_pool2d(x.float(), across).flatten().tolist()
    return [round(100 * v) for v in cells]


def shown(app: AppTest, key: str = "") -> list[list[int]]:
    """Return the fingerprints of the pictures that browser components hold, in grey; key: of the component with that key."""  # noqa: E501
    parts = [e.proto for e in app.get("bidi_component") if e.proto.json and e.proto.id.endswith(key and f"-{key}")]
    return [fingerprint(x, SHOWN) for part in parts for x in pictures_in(json.loads(json.loads(part.json)["props"]))]


def pictures_in(data: dict) -> list[torch.Tensor]:
    """Return the images (1, 1, H, W) of a component: PNG files, bytes of the size that it tells, what it decodes."""
    size = [data.get(side, 0) for side in ("height", "width", "channels")]
    images = []
    for text in data.values():
        if not isinstance(text, str):
            continue
        if text.startswith("data:image/png;base64,"):
            content = base64.b64decode(text.partition(",")[2])
            images.append(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
        elif np.prod(size) and len(text) == -(-int(np.prod(size)) // 3) * 4:
            images.append(np.frombuffer(base64.b64decode(text), np.uint8).reshape(size))
    found = [torch.tensor(image).float().mean(2)[None, None] / 255 for image in images]
    if {"files", "weights", "z", "y"} <= data.keys():
        model = vae.load(data["weights"].split()[0])
        with torch.no_grad():
            x = model.decode(torch.tensor([data["z"]]), torch.tensor([data["y"]]) if model.num_classes else None)
        found.append(x.mean(1, keepdim=True))
    return found


def distance(one: list[float], other: list[float]) -> float:
    """Return the largest difference of two fingerprints or codes; infinity where they differ in length."""
    return float(np.abs(np.subtract(one, other)).max()) if len(one) == len(other) else float("inf")


def record() -> None:
    """Write old_links.json: what each of LINKS opens to now."""
    rows = []
    for page, said, key in LINKS:
        app = open_link(page, said)
        row = {"page": page, "link": said, **found(app)}
        if key:
            row["shown"] = shown(app, key)[0]
        rows.append(json.dumps(row, ensure_ascii=False))
    RECORD.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")


OLD = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else []


@pytest.mark.parametrize("old", OLD, ids=lambda old: "-".join([old["page"], *old["link"].values()])[:60])
def test_an_old_link_opens_to_the_same_picture(old):
    app = open_link(old["page"], old["link"])
    now = found(app)
    assert (now["model"], now["y"]) == (old["model"], old["y"])
    assert distance(now["z"], old["z"]) <= SAME_CODE
    assert {key: now["says"].get(key) for key in old["says"]} == old["says"]
    # sentences may be put otherwise; there are as many
    assert len(now["complaints"]) == len(old["complaints"]), now["complaints"]
    assert distance(now["picture"], old["picture"]) <= SAME
    if "shown" in old:  # wherever on its page
        nearest = min((distance(picture, old["shown"]) for picture in shown(app)), default=float("inf"))
        assert nearest <= SAME, "the page shows other pictures"


def test_the_old_links_reach_every_page_and_every_family():
    assert len(OLD) == 41
    assert {old["page"] for old in OLD} == set(PAGES)
    assert {vae.load(old["model"]).card.family for old in OLD} == {card.family for card in vae.available()}


if __name__ == "__main__":
    record()

"""The panel that works before Streamlit has loaded: what it shows of a link, and the script in the page's HTML."""

import asyncio
import json

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.bridge import early
from pages.components.live_panel.early import props
from tests.app.test_pages import ROOT

early.register("sliders", "live_panel", "pages.components.live_panel.early")
SESSION = ("version", "by", "echo", "painted", "note")  # what only a session has


def shown_by_the_page(**link):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in link.items():
        app.query_params[key] = value
    app.run()
    app.switch_page("pages/sliders.py").run()
    sent = [json.loads(json.loads(e.proto.json)["props"]) for e in app.get("bidi_component") if e.proto.json]
    (found,) = [p for p in sent if "files" in p and "z" in p]
    return found


@pytest.mark.parametrize(
    "link",
    [
        {"model": "mnist-vae-16d"},
        {"model": "mnist-vae-2d", "z": "0.123456,-2"},
        {"model": "mnist-cvae", "z": "1,-1,0,0.5,0,2,0,-0.25", "y": "7"},
        {"model": "mnist-ladder"},
    ],
    ids=str,
)
def test_the_early_panel_shows_what_the_page_will(link):
    page, soon = shown_by_the_page(**link), props(link)
    assert soon is not None
    assert {key: value for key, value in soon.items() if key not in SESSION} == {
        key: value for key, value in page.items() if key not in SESSION
    }


@pytest.mark.parametrize(
    "link",
    [
        {"model": "no-such-model"}, {"model": "mnist-vqvae"}, {"model": "mnist-vae-2d", "z": "1"},
        {"model": "mnist-vae-2d", "z": "1,2,3"}, {"model": "mnist-vae-2d", "z": "nan,1"},
        {"model": "mnist-vae-2d", "weights": "replaced"}, {"model": "mnist-cvae", "z": "0,0,0,0,0,0,0,0", "y": "10"},
        {"model": "mnist-cvae", "y": "3"}, {"lesson": "kl.1"}, {"model": "mnist-vae-2d", "names": "0:slant"},
        {"embed": "true"},
    ],
    ids=str,
)  # fmt: skip
def test_a_link_of_which_the_page_has_more_to_say_gets_no_early_panel(link):
    assert props(link) is None


def html_of(path, body=b'<head><script type="module" src="index.js"></script></head>', kind=b"text/html", status=200):
    """What the middleware makes of a response, as (headers, body)."""
    sent, asked = [], {}

    async def app(scope, receive, send):
        asked.update(scope)
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body[:20], "more_body": True})
        await send({"type": "http.response.body", "body": body[20:]})

    async def send(message):
        sent.append(message)

    headers = [(b"accept-encoding", b"gzip"), (b"if-none-match", b"x"), (b"cookie", b"c")]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    asyncio.run(early.Early(app)(scope, None, send))
    return asked["headers"], dict(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent[1:])


def test_the_script_stands_before_streamlits():
    asked, headers, body = html_of("/sliders")
    script = f'<script type="module" async src="{early.module("sliders")}"></script>'.encode()
    assert body.index(script) < body.index(b'src="index.js"')
    assert headers[b"content-length"] == str(len(body)).encode()
    assert asked == [(b"cookie", b"c")]  # the answer must be whole and not compressed


@pytest.mark.parametrize("change", [{"path": "/map"}, {"kind": b"text/css"}, {"status": 404}], ids=str)
def test_other_responses_stay_as_they_are(change):
    plain = b'<head><script type="module" src="index.js"></script></head>'
    assert html_of(**{"path": "/sliders", **change})[2] == plain

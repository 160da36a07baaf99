"""The headers of pages: no address but this server's, no script but its own, and a setting for who may embed."""

import asyncio
import base64
import hashlib
import re

import pytest

from pages.components.bridge import security


def parts(policy):
    return dict(part.split(" ", 1) for part in policy.split("; "))


def response(kind):
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    asyncio.run(security.Security(app)({"type": "http", "path": "/"}, None, send))
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_a_page_loads_from_this_server_only():
    found = parts(security.policy(""))
    remote = re.compile(r"https?:|wss?:|\*")
    assert not any(remote.search(value) for name, value in found.items() if name != "frame-ancestors")
    assert "'unsafe-inline'" not in found["script-src"] and "'unsafe-eval'" not in found["script-src"]
    assert found["object-src"] == "'none'" and found["frame-ancestors"] == "*"


def test_the_one_inline_script_is_streamlits():
    (text,) = security.INLINE.findall(security.INDEX.read_text(encoding="utf-8"))
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in security.policy("")


def test_html_has_the_policy_and_other_files_are_not_sniffed(monkeypatch):
    monkeypatch.setenv(security.EMBEDDERS, "https://moodle.example.org https://*.example.com:8443")
    html, script = response(b"text/html; charset=utf-8"), response(b"text/javascript")
    ancestors = parts(html["content-security-policy"])["frame-ancestors"]
    assert ancestors == "https://moodle.example.org https://*.example.com:8443"
    assert html["referrer-policy"] == "same-origin" and "content-security-policy" not in script
    assert html["x-content-type-options"] == script["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "text", ["moodle.example.org", "https://a.org; script-src *", "javascript:alert(1)", "'unsafe-inline'"]
)
def test_what_is_no_origin_is_refused(text):
    with pytest.raises(ValueError, match="must hold origins such as https://moodle.example.org, not"):
        security.policy(text)

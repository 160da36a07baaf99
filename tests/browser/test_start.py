"""What the server sends beside the pages: modules and models for ever, and the news of what a page will need."""

import re
import urllib.error
import urllib.request

import pytest

from .panel import open_panel


def answer(address, path, method="GET"):
    """(status, headers, body) of a request."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address + path, method=method), timeout=20) as found:
            return found.status, found.headers, found.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, b""


def links(address, path):
    """The addresses of a page's Link header, and how each is to be loaded."""
    header = answer(address, path)[1].get("Link", "")
    return dict(re.findall(r"<([^>]+)>; rel=(\w+)", header))


def test_a_page_names_what_its_first_picture_needs(page, address):
    open_panel(page, address, model="mnist-vae-16d")  # after which the server knows the addresses
    found = links(address, "/sliders?model=mnist-vae-16d&z=1")
    assert [a for a, how in found.items() if how == "modulepreload" and "/static/js/BidiComponent." in a]
    (module,) = [a for a, how in found.items() if how == "modulepreload" and a.startswith("/assets/modules/")]
    models = [a for a, how in found.items() if how == "preload"]
    assert sorted(a.rpartition("/")[2] for a in models) == ["network", "samples", "weights"]
    for path in (module, *models, *(a for a in found if a.startswith("/static/"))):
        status, headers, body = answer(address, path)
        assert status == 200 and body
        if path.startswith("/assets/"):
            assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert headers["X-Content-Type-Options"] == "nosniff"
    assert any("/mnist-vae-2d/" in path for path, how in links(address, "/").items() if how == "preload")
    # an unknown model has no files, other pages have no picture, and a name cannot break out of the header
    assert not [a for a, how in links(address, "/sliders?model=no-such").items() if how == "preload"]
    assert not links(address, "/compare?model=mnist-vae-16d")
    assert links(address, "/sliders?model=%3E%0D%0Ax:y").keys() <= found.keys()


@pytest.mark.parametrize("path", [
    "/assets/models/mnist-vae-16d/0123456789abcdef/weights", "/assets/models/no-such/0123456789abcdef/weights",
    "/assets/models/..%2F..%2Fapp/0123456789abcdef/weights", "/assets/models/mnist-vae-16d/0123456789abcdef/card.json",
    "/assets/modules/0123456789abcdef/live_panel.js", "/assets/modules/../../app.py",
])  # fmt: skip
def test_an_address_that_was_never_given_has_nothing(address, path):
    status, headers, body = answer(address, path)
    # Streamlit answers an address that is not ours with its own page
    assert status in (400, 404) or headers["Content-Type"].startswith("text/html")
    assert b"st.App" not in body and "immutable" not in headers.get("Cache-Control", "")


def test_news_of_an_unknown_session_is_ignored(address):
    assert answer(address, "/assets/painted/nobody", "POST")[0] == 204
    assert answer(address, "/assets/painted/nobody")[0] != 204

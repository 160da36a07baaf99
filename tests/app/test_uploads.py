"""A limit on the files that a server holds for its visitors, in one session and in all."""

import asyncio

import pytest

from pages.components.bridge import uploads

MB = 2**20


def put(middleware, size, session="one", path="/_stcore/upload_file/{}/file", method="PUT"):
    """Send a file. Returns the status of the answer."""
    statuses = []

    async def send(message):
        statuses.append(message.get("status"))

    headers = [] if size is None else [(b"content-length", str(size).encode())]
    scope = {"type": "http", "method": method, "path": path.format(session), "headers": headers}
    asyncio.run(middleware(scope, None, send))
    return statuses[0]


@pytest.fixture
def server(monkeypatch):
    """The middleware, in front of an app that takes what it gets, and what it holds by session."""
    held = {}
    monkeypatch.setattr(uploads, "bytes_held", lambda: held)

    async def app(scope, receive, send):
        assert not scope["path"].startswith("/_stcore") or scope["method"] != "PUT" or middleware.arriving.total()
        await send({"type": "http.response.start", "status": 204, "headers": []})

    middleware = uploads.Uploads(app)
    return middleware, held


def test_a_session_and_all_sessions_have_a_limit(server):
    middleware, held = server
    assert put(middleware, 40 * MB) == 204
    held["one"] = uploads.MAX_EACH - 10 * MB
    assert put(middleware, 20 * MB) == 413
    assert put(middleware, 20 * MB, "two") == 204
    held["two"], held["three"], held["four"] = 150 * MB, 150 * MB, 60 * MB
    assert put(middleware, 5 * MB, "five") == 413
    assert put(middleware, 1 * MB, "five") == 204
    assert not middleware.arriving


def test_a_file_that_hides_its_size_counts_as_the_largest(server):
    middleware, held = server
    held["one"] = uploads.MAX_EACH - 10 * MB
    for size in (None, "many", "-1", "9" * 5000):
        assert put(middleware, size) == 413
    assert put(middleware, None, "two") == 204


def test_other_requests_pass(server):
    middleware, held = server
    held["one"] = uploads.MAX_EACH
    assert put(middleware, 50 * MB, method="DELETE") == 204
    assert put(middleware, 50 * MB, path="/assets/painted/{}") == 204


def test_files_on_their_way_count(server, monkeypatch):
    middleware, _ = server
    middleware.arriving["one"] = uploads.MAX_EACH - MB
    assert put(middleware, 2 * MB) == 413
    assert put(middleware, MB) == 204

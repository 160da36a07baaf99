"""Files that a browser fetches beside the page, and keeps: their addresses hold a hash of their content.

The server imports this before it answers, so other modules are imported where they are used.
"""

from __future__ import annotations

import hashlib
import json

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
PRIVATE = {"Cache-Control": "private, max-age=600"}  # of a visitor's own model
BASE = f"/{st.get_option('server.baseUrlPath').strip('/')}/".replace("//", "/")
PREFIX = f"{BASE}assets"
# of a model, as load_model.js names them
MODEL_FILES = {
    "network": "application/json", "weights": "application/octet-stream", "samples": "application/octet-stream",
}  # fmt: skip
POSTERIOR_SAMPLES = 2000  # for histograms and densities
_addresses: dict[tuple[str, str], str] = {}  # the last one of a model and file


def model_address(name: str, file: str) -> str:
    """Return the address of one of MODEL_FILES of a model."""
    address = _addresses[name, file] = f"{PREFIX}/models/{name}/{_version(name, file)}/{file}"
    return address


def model_file(name: str, file: str) -> bytes:
    """Return the content of one of MODEL_FILES: network.json, the weights, or posterior samples (N, D), one byte per
    value over each slider's range. Raises ModelUnavailable."""
    from vae.encoded import quantised

    from ..shell import cached, visitors

    if file == "weights":
        return visitors.store_of(name).read_weight_bytes(cached.card(name))
    if file == "network":
        return json.dumps(cached.network(name), separators=(",", ":"), allow_nan=False).encode()
    return quantised(cached.posterior_samples(name)[:POSTERIOR_SAMPLES], cached.slider_ranges(name)).tobytes()


@st.cache_data(max_entries=200, show_spinner=False)  # emptied when a file of a model changes, see cached.refresh
def _version(name: str, file: str) -> str:
    return content_hash(model_file(name, file))


def content_hash(content: bytes) -> str:
    """Return 16 digits that stand for a content."""
    return hashlib.sha256(content).hexdigest()[:16]


def _model_file(request: Request) -> Response:
    from vae import ModelUnavailable

    from ..shell import cached, visitors

    name, version, file = (request.path_params[key] for key in ("name", "version", "file"))
    shared = name in cached.shared_scan()[0]
    # The address of a visitor's own model holds a hash of its content, which only his browser was told.
    granted = name if _addresses.get((name, file)) == request.url.path else ""
    try:
        with visitors.granted(granted):
            if name not in cached.zoo_scan()[0] or file not in MODEL_FILES:
                raise HTTPException(404)
            content = model_file(name, file)
    except ModelUnavailable as error:  # it has just been removed
        raise HTTPException(404) from error
    if version != content_hash(content):  # the browser would keep it for ever
        raise HTTPException(404)
    return Response(content, media_type=MODEL_FILES[file], headers=HEADERS if shared else HEADERS | PRIVATE)


_modules: dict[str, str] = {}  # version/name -> text


def module_address(name: str, text: str) -> str:
    """Serve an ES module under an address that depends on its text, and return the address."""
    version = content_hash(text.encode())
    _modules[f"{version}/{name}.js"] = text
    return f"{PREFIX}/modules/{version}/{name}.js"


def known_modules(name: str) -> list[str]:
    """Return the address of the module with this name; [] before a page has used it."""
    return [f"{PREFIX}/modules/{path}" for path in _modules if path.endswith(f"/{name}.js")][-1:]


def known_model_files(name: str) -> list[str]:
    """Return the addresses of a model's files; [] for an unknown model, or where they are not computed yet."""
    from ..shell import cached

    if name not in cached.zoo_scan()[0]:
        return []
    return [address for file in MODEL_FILES if (address := _addresses.get((name, file)))]


def _module(request: Request) -> Response:
    text = _modules.get(request.path_params["path"])
    if text is None:
        raise HTTPException(404)
    return Response(text, media_type="text/javascript", headers=HEADERS)


ROUTES = [
    Route(f"{PREFIX}/models/{{name}}/{{version}}/{{file}}", _model_file),
    Route(f"{PREFIX}/modules/{{path:path}}", _module),
]

"""Files that a browser fetches beside the page, and keeps: their addresses hold a hash of their content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from vae import ModelUnavailable, store

HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
MODEL_FILES = {"model.safetensors": "application/octet-stream", "network.json": "application/json"}
BASE = "/" + st.get_option("server.baseUrlPath").strip("/")
PREFIX = f"{BASE.rstrip('/')}/assets"


def model_address(name: str, file: str) -> str:
    """Return the address of one of MODEL_FILES of a model."""
    return f"{PREFIX}/models/{name}/{_version(store.Store().folder(name) / file)}/{file}"


@st.cache_data(max_entries=200, show_spinner=False)  # emptied when a file of a model changes, see cached.refresh
def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _model_file(request: Request) -> FileResponse:
    name, version, file = (request.path_params[key] for key in ("name", "version", "file"))
    try:
        path = store.Store().folder(name) / file
        if file not in MODEL_FILES or _version(path) != version:
            raise HTTPException(404)
    except (ModelUnavailable, OSError) as error:
        raise HTTPException(404) from error
    return FileResponse(path, media_type=MODEL_FILES[file], headers=HEADERS)


_modules: dict[str, str] = {}  # version/name -> text


def module_address(name: str, text: str) -> str:
    """Serve an ES module under an address that depends on its text, and return the address."""
    version = hashlib.sha256(text.encode()).hexdigest()[:16]
    _modules[f"{version}/{name}.js"] = text
    return f"{PREFIX}/modules/{version}/{name}.js"


def _module(request: Request) -> Response:
    text = _modules.get(request.path_params["path"])
    if text is None:
        raise HTTPException(404)
    return Response(text, media_type="text/javascript", headers=HEADERS)


ROUTES = [
    Route(f"{PREFIX}/models/{{name}}/{{version}}/{{file}}", _model_file),
    Route(f"{PREFIX}/modules/{{path:path}}", _module),
]

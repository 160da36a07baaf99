"""The user's own folder: models that are not the project's, runs of trainings, downloaded data; and a cache."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """Return the user's own folder: the one VAE_HOME names, or one in the platform's folder of user data.

    It has the layout of pretrained/, with runs/ and data/ beside the models. It need not exist.
    """
    default = platformdirs.user_data_path("latent-space-explorer", appauthor=False)
    return Path(os.environ.get("VAE_HOME") or default).expanduser()


def runs() -> Path:
    """Return the folder of training runs: the one VAE_RUNS names, or runs/ in the user's folder."""
    return Path(os.environ.get("VAE_RUNS") or home() / "runs").expanduser()


def data() -> Path:
    """Return the folder of downloaded data: the one VAE_DATA names, or data/ in the user's folder."""
    return Path(os.environ.get("VAE_DATA") or home() / "data").expanduser()


def cache() -> Path:
    """Return the folder of what can be computed again, in the platform's folder of caches. It need not exist."""
    return platformdirs.user_cache_path("latent-space-explorer", appauthor=False)


def app() -> Path:
    """Return the folder of app.py, from which Streamlit starts: it reads .streamlit/config.toml there."""
    package = Path(__file__).parent / "_app"  # in an installed wheel
    return package if package.exists() else Path(__file__).parents[1]


def environment() -> dict[str, str]:
    """Return this process's environment with the folders it names made absolute, for a child in another folder."""
    names = [name for name in ("VAE_HOME", "VAE_RUNS", "VAE_DATA") if os.environ.get(name)]
    return {**os.environ, **{name: str(Path(os.environ[name]).expanduser().absolute()) for name in names}}

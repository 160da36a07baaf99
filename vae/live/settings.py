"""The one setting of a server for trainings: VAE_TRAINING.

    VAE_TRAINING=off     nobody can train; the page says so
    VAE_TRAINING=300     a training may take 300 seconds, and up to FINISHING more to measure and map the model
    not set              DEFAULT_SECONDS

One training runs at a time, with a lower priority than the pages, in one thread and at most MEMORY bytes. Others wait
in a queue. A training ends ABANDONED seconds after its visitor's last connection is gone.
"""

from __future__ import annotations

import os

DEFAULT_SECONDS = 600.0
MAX_SECONDS = 86_400.0
FINISHING = 300.0  # seconds
MEMORY = 3 * 2**30  # bytes
ABANDONED = 120.0  # seconds
SPARE = 900.0  # seconds that a process waits for a training
VARIABLE = "VAE_TRAINING"


def seconds() -> float:
    """Return how long a training may take; 0 where nobody can train. A value that means nothing switches it off."""
    value = os.environ.get(VARIABLE, "").strip().lower()
    if not value:
        return DEFAULT_SECONDS
    try:
        found = float(value)
    except ValueError:
        return 0.0
    return min(found, MAX_SECONDS) if found > 0 else 0.0

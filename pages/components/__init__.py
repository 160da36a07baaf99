"""What pages share."""

import os

# as in app.py, for a deep link to a fresh server that runs a page first (navigation.py)
os.environ.setdefault("OMP_NUM_THREADS", "1")

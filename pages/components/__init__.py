"""Components of the pages."""

import os

# As in app.py, because the first request to a new server may run a page file alone (see navigation.py).
os.environ.setdefault("OMP_NUM_THREADS", "1")

"""The cookie that identifies a browser. The server imports this before it answers, so it imports little."""

import re

COOKIE = "vae_visitor"
COOKIE_VALUE = re.compile(r"[\w-]{32}", re.ASCII)  # as secrets.token_urlsafe(24) makes it

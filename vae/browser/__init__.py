"""The half that runs in a browser: ES modules that know no host, and bundle.py, which makes one module of them."""

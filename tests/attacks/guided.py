"""Coverage-guided fuzzing of the parsers that read strangers' bytes, by atheris (`pip install atheris`, Linux).

    python -m tests.attacks.guided picture                 a minute of one parser
    python -m tests.attacks.guided archive -max_total_time=600

Each parser may raise the errors that it documents, and no others. An input that makes it raise another one, or takes
ten seconds or two gigabytes, is written to a file, and the command ends with an error.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["vae", "pages"]):
    import numpy as np

    from pages.components.shell import parse
    from vae import project
    from vae.data import archives
    from vae.data.images import UploadError, read_image
    from vae.data.own import factors
    from vae.data.own.checking import check
    from vae.data.own.opening import open_source

FALLBACK = np.zeros(2)


def picture(content: bytes) -> None:
    try:
        read_image(content)
    except UploadError:
        pass


def archive(content: bytes) -> None:
    try:
        archives.collect([("images.zip", b"PK\x03\x04" + content)])
    except UploadError:
        pass


def images(content: bytes) -> None:
    """A visitor's own data set: a zip, an npz, an idx file or a pickled batch of CIFAR, which is read as data."""
    check(open_source([("data.zip", content), ("data.npz", content), ("data_batch_1", content)]), 28, in_app=True)


def table(content: bytes) -> None:
    try:
        factors.parse(content, [("a.png",), ("b.png",)])
    except ValueError:
        pass


def model_file(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            project.read(content, Path(folder), "")
        except project.ProjectError:
            pass


def message(content: bytes) -> None:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return
    fields = parse.parse_object(value) or {"z": value}
    for field in fields.values():
        parse.parse_code(field, FALLBACK, 10.0)
        parse.parse_codes(field, 9, FALLBACK, 10.0)
        parse.parse_indices(field, 4)
        parse.parse_positions(field, 100)
        parse.parse_int(field, 0, 9)
        parse.parse_number(field, 0, 9)
        parse.parse_text(field, 40)
        parse.parse_name(field, 40)
        parse.parse_pixels(field, (1, 2, 2))


def link(content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    for value in parse.repair_link({"z": text, text: "1"}).values():
        parse.parse_code_text(value, 2, 10.0)
        parse.parse_names_text(value, 2, 40)
        parse.parse_int_text(value, 0, 9)
        parse.parse_number_text(value, 0, 9)


PARSERS: dict[str, Callable[[bytes], None]] = {
    parser.__name__: parser for parser in (picture, archive, images, table, model_file, message, link)
}


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in PARSERS:
        sys.exit(f"{__doc__}\nParsers: {', '.join(PARSERS)}")
    options = ["-max_total_time=60", "-timeout=10", "-rss_limit_mb=2048", *sys.argv[2:]]
    atheris.Setup([sys.argv[0], *options], PARSERS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""Attacks that have worked on programs like this one, one line each: what it is, and what a stranger sends."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

HEADER = struct.Struct("<Q")  # the length of a safetensors header
MARKUP = "<img src=x onerror=alert(1)>"
LINK = "[x](javascript:alert(1))![x](https://evil.example/x.png)"


# ---- links: (page, query)

LINKS = {
    "a script as a model's name": ("sliders", f"model=<script>alert(1)</script>{MARKUP}"),
    "Markdown that loads a picture as a model's name": ("sliders", f"model={LINK}"),
    "a path as a model's name": ("sliders", "model=../../../../etc/passwd"),
    "an absolute path as a model's name": ("sliders", "model=/etc/passwd"),
    "a path as a lesson": ("sliders", "lesson=../../etc/passwd.1"),
    "a hundred thousand numbers": ("sliders", "model=mnist-vae-2d&z=" + "1," * 100_000),
    "numbers without an end": ("sliders", "z=1e999999999,-1e999999999"),
    "an integer of ten thousand digits": ("sample", "seed=" + "9" * 10_000),
    "as many pictures as memory holds": ("sample", "sample_count=999999999&sample_temperature=1e300"),
    "ten thousand parameters": ("map", "&".join(f"map_kind=dims{i}" for i in range(10_000))),
    "a model within a model": ("sliders", "own=" + "mnist-vae-2d:1,2:0:" * 500),
    "percent signs within percent signs": ("sliders", "z=" + "%25" * 500 + "2C1"),
    "bytes that are no text": ("sliders", "model=%ff%fe%00&z=%c0%80"),
    "a text that turns direction": ("glossary", "model=\u202e\u2066evil\u2069"),
    "a format string": ("sliders", "model={0.__class__.__mro__}%s%n${7*7}{{7*7}}"),
    "a regular expression that never ends": ("sliders", "z=" + "-" * 5000 + "!"),
    "a page that is a file": ("sliders", "page=../../app.py&lessons_view=../../app"),
}


# ---- pictures: bytes


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes, *chunks: bytes) -> bytes:
    """A PNG of 8-bit grey that says it has this size."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + data + png_chunk(b"IEND", b"")


def saved(image: Image.Image, kind: str, **options) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def with_texts() -> bytes:
    info = PngImagePlugin.PngInfo()
    for i in range(60):
        info.add_text(f"k{i}", "x" * 900_000, zip=True)
    return saved(Image.new("L", (8, 8)), "PNG", pnginfo=info)


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose header says another size than its data has."""
    content = bytearray(saved(Image.new("L", (8, 8)), "JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


PICTURES = {
    "a PNG bomb of 65,535 x 65,535 pixels": lambda: png(65_535, 65_535, bytes(10**7)),
    "a PNG of a thousand times its bytes": lambda: png(3800, 3800, bytes(3801 * 3800)),
    "a PNG with 54 MB of compressed texts": with_texts,
    "a PNG whose colour profile is a bomb": lambda: png(
        8, 8, bytes(72), png_chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(5 * 10**7), 9))
    ),
    "a PNG with a chunk of 2 GB": lambda: b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31 - 1) + b"IHDR",
    "a JPEG that says 65,500 x 65,500": lambda: jpeg_of(65_500, 65_500),
    "a GIF of a thousand frames": lambda: saved(
        Image.new("P", (60, 60)), "GIF", save_all=True,
        append_images=[Image.new("P", (60, 60), i % 256) for i in range(1000)],
    ),
    "a TIFF under the name of a JPEG": lambda: saved(Image.new("RGB", (8, 8)), "TIFF"),
    "an SVG with a script and a file's address": lambda: (
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>'
    ),
    "an SVG of nine times nested entities": lambda: (
        b'<!DOCTYPE s [<!ENTITY a "ha">' + b"".join(
            b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9)
        ) + b"]><svg>&j;</svg>"
    ),
    "PostScript that reads a file": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n",
    "a web page": lambda: f"<html>{MARKUP}<script>alert(1)</script></html>".encode(),
    "a zip in front of a PNG": lambda: zipped([("a.txt", b"a")]) + png(8, 8, bytes(72)),
    "25 MB of zeros": lambda: bytes(25 * 2**20),
    "one byte more than is allowed": lambda: b"\xff\xd8\xff" + bytes(25 * 2**20 - 2),
    "nothing": lambda: b"",
}  # fmt: skip


# ---- zip files of images: bytes


def zipped(files, compression=zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, file in files:
            archive.writestr(name, file)
    return content.getvalue()


def as_link(target: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link.png")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


def with_changed_bytes(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new)


def nested(levels: int) -> bytes:
    content = bytes(10**6)
    for level in range(levels):
        content = zipped([(f"{level}-{i}.zip", content) for i in range(8)])
    return content


def overlapping() -> bytes:
    """A zip whose list names the same megabytes a thousand times."""
    whole = zipped([("a.png", bytes(10**6))])
    end = whole.rindex(b"PK\5\6")
    start = whole.index(b"PK\1\2")
    entry = whole[start:end]
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1000, 1000, 1000 * len(entry), start, 0)
    return whole[:start] + entry * 1000 + tail


SQUARE = png(8, 8, bytes(72))
ZIPS = {
    "a bomb of 1 GB": lambda: zipped([(f"{i}.png", bytes(10**7)) for i in range(100)]),
    "bombs within bombs": lambda: nested(4),
    "one piece named a thousand times": overlapping,
    "names that leave the folder": lambda: zipped([("../../../tmp/a.png", SQUARE), ("/etc/a.png", SQUARE)]),
    "names of Windows that leave the folder": lambda: zipped([("..\\..\\a.png", SQUARE), ("C:\\a.png", SQUARE)]),
    "a symbolic link": lambda: zipped([(as_link("/etc/passwd"), "/etc/passwd")]),
    "fifty thousand entries": lambda: zipped([(f"{i}.png", b"") for i in range(50_000)], zipfile.ZIP_STORED),
    "names of 60,000 characters": lambda: zipped([("x" * 60_000 + f"{i}.png", SQUARE) for i in range(50)]),
    "names with markup and control characters": lambda: zipped([(f"{MARKUP}\0\r\n\u202e.png", SQUARE)] * 2),
    "an entry that says it is larger than it is": lambda: with_changed_bytes(
        zipped([("a.png", SQUARE)]), struct.pack("<L", len(SQUARE)), struct.pack("<L", 2**31 - 1)
    ),
    "an encrypted entry": lambda: with_changed_bytes(
        zipped([("a.png", SQUARE)]), b"PK\1\2\x14\3\x14\0\0\0", b"PK\1\2\x14\3\x14\0\1\0"
    ),
    "a compression that takes much memory": lambda: zipped([("a.png", SQUARE)], zipfile.ZIP_LZMA),
    "factors that are formulas": lambda: zipped(
        [("a.png", SQUARE), ("factors.csv", "file,=cmd|' /C calc'!A0\na.png,@SUM(1)\n")]
    ),
    "factors in one line of 30 MB": lambda: zipped(
        [("a.png", SQUARE), ("factors.csv", "file,f\na.png," + "9" * 30_000_000)]
    ),
    "folders a thousand deep": lambda: zipped([("a/" * 1000 + "a.png", SQUARE)]),
    "a list cut off": lambda: zipped([("a.png", SQUARE)])[:-30],
}


# ---- project files: functions of the members {name: content} of a whole one


class Runs:
    """An object that makes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def card(members, **changes):
    found = json.loads(members["card.json"])
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(found.get(key), dict):
            value = found[key] | value
        found[key] = value
    return members | {"card.json": json.dumps(found).encode()}


def header_of(length: int, text: bytes = b"{}"):
    return lambda members, path: members | {"model.safetensors": HEADER.pack(length) + text}


def tensor_of(shape, offsets):
    text = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}).encode()
    return lambda members, path: members | {"model.safetensors": HEADER.pack(len(text)) + text}


def objects(path: Path) -> bytes:
    content = io.BytesIO()
    np.savez(content, codes=np.array([Runs(path)], dtype=object))
    return content.getvalue()


PROJECTS = {
    "weights that are pickled code": lambda members, path: members | {"model.safetensors": pickle.dumps(Runs(path))},
    "a map of pickled objects": lambda members, path: members | {"map.npz": objects(path)},
    "a gallery of pickled objects": lambda members, path: members | {"gallery.npz": objects(path)},
    "a list of tensors of 2^63 bytes": header_of(2**63),
    "a list of tensors longer than the file": header_of(10**6),
    "a tensor of 10^18 values": tensor_of([10**9, 10**9], [0, 0]),
    "a tensor outside the file": tensor_of([4], [10**12, 10**12 + 16]),
    "a tensor with a negative side": tensor_of([-4], [0, 16]),
    "a code of a thousand million dimensions": lambda members, path: card(members, latent_dim=10**9),
    "a network of a thousand million units": lambda members, path: card(members, config={"encoder": [10**9]}),
    "a network of as many layers as fit": lambda members, path: card(members, config={"encoder": [65_536] * 10_000}),
    "images of 10^5 x 10^5 pixels": lambda members, path: card(members, config={"image_shape": [1, 10**5, 10**5]}),
    "a family that is no family": lambda members, path: card(members, family="__import__('os').system"),
    "a name that leaves the folder": lambda members, path: card(members, name="../../../tmp/evil"),
    "the name of a shipped model": lambda members, path: card(members, name="mnist-vae-2d"),
    "data of another name than its images": lambda members, path: card(members, data="../mnist"),
    "markup in every text": lambda members, path: card(members, title=MARKUP + LINK, description=LINK, licence=MARKUP),
    "a title of a million characters": lambda members, path: card(members, title="x" * 900_000),
    "a card a hundred thousand deep": lambda members, path: members | {"card.json": b"[" * 100_000 + b"]" * 100_000},
    "a card that is no object": lambda members, path: members | {"card.json": b"[1, 2]"},
    "a card of NaN": lambda members, path: members | {"card.json": b'{"latent_dim": NaN, "name": Infinity}'},
    "figures that are no numbers": lambda members, path: card(members, figures={"recon": MARKUP, "kl_per_dim": "x"}),
    "a recipe that is code": lambda members, path: card(members, recipe={"objective": {"name": "eval('1')"}}),
    "a member that no model has": lambda members, path: members | {"../app.py": b"raise SystemExit"},
    "a script as the network's file": lambda members, path: members | {"network.json": b"alert(1)"},
    "a web page as the cover": lambda members, path: members | {"cover.webp": f"<script>{MARKUP}</script>".encode()},
    "no member at all": lambda members, path: {},
}


# ---- messages: (page, component, event, value)

DEEP = "leaf"
for _ in range(400):
    DEEP = [DEEP]
CURRENT = {"model": "mnist-vae-2d"}
RELEASE = "sliders", "live_panel", "commit"
PICTURE = "interpolate", "interpolate_A_picture", "own"
MESSAGES = {
    "lists within lists": (*RELEASE, {**CURRENT, "z": DEEP}),
    "a code of ten million characters": (*RELEASE, {**CURRENT, "z": "1" * 10**7}),
    "a code of a million numbers": (*RELEASE, {**CURRENT, "z": [1] * 10**6}),
    "an integer of a thousand digits": (*RELEASE, {**CURRENT, "z": [10**999, 0]}),
    "numbers that are none": (*RELEASE, {**CURRENT, "z": [float("nan"), 1e308]}),
    "true as a number": (*RELEASE, {**CURRENT, "z": [True, False], "y": True}),
    "another model's name": (*RELEASE, {"model": "mine-0000000000000000", "z": [0, 0]}),
    "a prototype": (*RELEASE, {"__proto__": {"z": [9, 9]}, "constructor": 1}),
    "markup as a name": ("sliders", "live_panel", "rename", {**CURRENT, "index": 0, "name": MARKUP + LINK}),
    "a name of a dimension that does not exist": (
        "sliders", "live_panel", "rename", {**CURRENT, "index": -1, "name": "x"},
    ),
    "a hundred thousand pictures": (
        "sliders", "live_panel", "ask", {**CURRENT, "panel": "x", "seq": 1, "zs": [[0, 0]] * 100_000},
    ),
    "a picture of another size": (*PICTURE, {"data": "mnist", "id": "a", "x": "AAAA"}),
    "a picture that is no base64": (*PICTURE, {"data": "mnist", "x": "\0é%%%"}),
    "a test image that does not exist": ("interpolate", "interpolate_A_picture", "pick", -(2**63)),
    "a lasso of a million corners": (
        "map", "scatter", "lasso", {**CURRENT, "places": [[0.5, 0.5]] * 10**6},
    ),
    "a path far outside the map": ("map", "scatter", "path", {**CURRENT, "places": [[1e300, -1e300]] * 9}),
    "progress of steps that do not exist": (
        "lessons", "lesson_progress", "kept",
        {f"terms.{i}": {"prediction": MARKUP, "revealed": True} for i in range(9999)},
    ),
    "a beta without an end": ("train", "train_panel", "beta", {"value": float("inf")}),
    "a step that is not reached": ("train", "train_panel", "missing", {"film": "example", "after": 2**70}),
}  # fmt: skip


# ---- requests: (method, path, options), and the status that answers

REQUESTS = {
    "a module outside its folder": ("GET", "/assets/modules/../../../../etc/passwd", {}, (400, 404)),
    "a module outside its folder, encoded": ("GET", "/assets/modules/%2e%2e%2f%2e%2e%2fapp.py", {}, (400, 404)),
    "a file of a model outside its folder": ("GET", "/assets/models/..%2f..%2fvae/x/card.json", {}, (400, 404)),
    "another file of a model": ("GET", "/assets/models/mnist-vae-2d/0000000000000000/card.json", {}, (404,)),
    "a file of a visitor's model": ("GET", "/assets/models/mine-0000000000000000/0000/weights", {}, (404,)),
    "a media file outside its folder": ("GET", "/media/../../etc/passwd", {}, (400, 404)),
    "a file of Streamlit's pages outside its folder": ("GET", "/static/..%2f..%2f..%2fetc%2fpasswd", {}, (400, 404)),
    "the source": ("GET", "/app/static/../app.py", {}, (400, 404)),
    "an upload without its token": ("PUT", "/_stcore/upload_file/session/file", {"body": b"x"}, (400, 403)),
    "an upload that says it has 10^15 bytes": (
        "PUT", "/_stcore/upload_file/session/file", {"headers": {"Content-Length": str(10**15)}}, (400, 403, 413),
    ),
    "a method that no page has": ("TRACE", "/", {}, (400, 404, 405)),
    "the counters, which are off": ("GET", "/metrics", {}, (404,)),
    "another host": ("GET", "/_stcore/health", {"headers": {"Host": "evil.example"}}, (200, 400, 403)),
    "a picture that nobody asked for": ("POST", "/assets/painted/../../x", {"body": b"x" * 10_000}, (400, 404, 405)),
}  # fmt: skip

"""Random links, files, project files and messages, against a running server: no exception is shown, the next action
works, and memory holds.

    pytest -m slow tests/attacks/test_fuzzing.py       500 links, 300 files, 200 project files, 1,000 messages
    pytest -m "slow and not long" tests/attacks        a tenth of them
"""

import io
import json
import urllib.parse
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pages.components.shell.settings import registered
from vae import project
from vae.store import Store

from .. import own_model
from ..long import LONG
from .corpus import saved, zipped
from .visitor import EVENTS, MODEL, stranger

pytestmark = pytest.mark.slow
LINKS, FILES, PROJECTS, MESSAGES = 500, 300, 200, 1000
MAX_ADDED = 150  # MB
CHECKED_EVERY = 50  # inputs
SHARES = [0.1, pytest.param(1.0, marks=LONG)]
ODD = [
    "",
    "0",
    "-1",
    "1e400",
    "nan",
    "inf",
    "null",
    "true",
    "[]",
    "{}",
    "%00",
    "\0",
    "\u202e",
    "../..",
    "é" * 400,
    "9" * 400,
]


@pytest.fixture(scope="module")
def visitor():
    with stranger() as visitor:
        yield visitor


@pytest.fixture(scope="module")
def whole_project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    own_model.make(folder)
    return project.write(Store([folder]), "mine")


def fuzz(visitor, count, strategy, send):
    """Send `count` random inputs. The server's memory may grow by MAX_ADDED, and every CHECKED_EVERY inputs a usual
    action must work."""
    visitor.still_works()
    before, sent = visitor.megabytes(), 0

    @settings(
        max_examples=count, database=None, suppress_health_check=list(HealthCheck), print_blob=False, derandomize=True
    )
    @given(strategy)
    def run(value):
        nonlocal sent
        send(value)
        visitor.no_exception()
        sent += 1
        if sent % CHECKED_EVERY == 0:
            visitor.still_works()

    run()
    visitor.still_works()
    added = visitor.megabytes() - before
    print(f"{sent} inputs: {added:.0f} MB more")
    assert added < MAX_ADDED


# ---- links


def words():
    return st.one_of(st.sampled_from(ODD), st.text(max_size=30), st.floats().map(str), st.integers().map(str))


def parameters():
    """Parameters that pages know, with random values and with the values of others."""
    keys = ["model", "z", "y", "seed", "own", "weights", "lesson", "answer", "shuffle", "revealed", "embed"]
    keys += [key for settings in registered().values() for key in settings]
    numbers = st.lists(st.floats(width=32), max_size=20).map(lambda values: ",".join(map(str, values)))
    models = st.sampled_from([MODEL, "mnist-cvae", "mnist-vqvae", "rooms-ada", "sprites-factor", "glyphs-cvae"])
    values = st.one_of(words(), numbers, models)
    return st.lists(st.tuples(st.one_of(st.sampled_from(keys), st.text(max_size=10)), values), max_size=8)


@pytest.mark.parametrize("share", SHARES)
def test_links(visitor, share):
    pages = st.sampled_from(sorted(visitor.tab.pages))

    def send(link):
        page, query, raw = link
        text = ("&".join(f"{key}={value}" for key, value in query) + raw).encode("utf-8", "replace").decode()
        if len(text) % 5:
            visitor.open_link(page, text)
        else:  # "%": as Tab makes a request of it
            visitor.open_in_new_tab(page, urllib.parse.quote(text, safe="=&,%"))

    fuzz(
        visitor, int(share * LINKS), st.tuples(pages, parameters(), st.one_of(st.just(""), st.text(max_size=60))), send
    )


# ---- files


def picture(kind, mode):
    return saved(Image.fromarray(np.arange(3000, dtype=np.uint8).reshape(20, 50, 3)).convert(mode), kind)


WHOLE = [picture(kind, mode) for kind, mode in (
    ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("JPEG", "RGB"), ("JPEG", "CMYK"), ("WEBP", "RGBA"), ("GIF", "P"),
    ("TIFF", "RGB"), ("BMP", "RGB"),
)]  # fmt: skip


def damaged(whole):
    """A file with some bytes replaced, a piece removed or repeated, or its end cut off."""
    places = st.integers(0, len(whole))
    replaced = st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=30).map(
        lambda changes: _replaced(whole, changes)
    )
    cut = st.tuples(places, places).map(lambda ends: whole[: min(ends)] + whole[max(ends) :])
    repeated = st.tuples(places, places).map(lambda ends: whole[: max(ends)] + whole[min(ends) :])
    return st.one_of(replaced, cut, repeated, st.binary(max_size=300))


def _replaced(whole, changes):
    content = bytearray(whole)
    for place, value in changes:
        content[place] = value
    return bytes(content)


@pytest.mark.parametrize("share", SHARES)
def test_files(visitor, share):
    archives = [zipped([(f"{name}/{i}.png", WHOLE[i]) for i in range(4) for name in "ab"]), zipped([("a.txt", b"a")])]
    content = st.sampled_from([*WHOLE, *archives]).flatmap(damaged)
    # with the suffixes that Streamlit accepts; it refuses others before the page sees them
    names = st.sampled_from(["photo.jpg", "a.PNG", "images.zip", "../../a.png", "a.exe.gif", "a\u202egnp.zip", ".png"])
    doors = st.sampled_from(["picture", "map", "train"])

    def send(file):
        door, name, content = file
        if door == "picture":
            visitor.send_picture(content, name)
        elif door == "map":
            visitor.upload("map", "map_files", name, content)
        else:
            visitor.upload("train", "train_files", name, content)

    fuzz(visitor, int(share * FILES), st.tuples(doors, names, content), send)


# ---- project files


def changed_members(whole):
    """A project file in which a member is damaged, missing or another one, or the card says something else."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    card = json.loads(dict(members)["card.json"])
    values = st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), words()),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
        max_leaves=8,
    )
    with_another_card = st.dictionaries(st.sampled_from(sorted(card)), values, min_size=1, max_size=3).map(
        lambda changes: [
            (name, json.dumps(card | changes).encode() if name == "card.json" else content)
            for name, content in members
        ]
    )
    in_config = st.dictionaries(st.sampled_from(sorted(card["config"])), values, min_size=1, max_size=2).map(
        lambda changes: [
            (
                name,
                json.dumps(card | {"config": card["config"] | changes}).encode() if name == "card.json" else content,
            )
            for name, content in members
        ]
    )
    one_damaged = st.sampled_from(range(len(members))).flatmap(
        lambda i: damaged(members[i][1]).map(
            lambda content: [*members[:i], (members[i][0], content), *members[i + 1 :]]
        )
    )
    without_one = st.sampled_from(range(len(members))).map(lambda i: members[:i] + members[i + 1 :])
    return st.one_of(st.one_of(with_another_card, in_config, one_damaged, without_one).map(zipped), damaged(whole))


@pytest.mark.parametrize("share", SHARES)
def test_project_files(visitor, whole_project, share):
    def send(content):
        visitor.upload("", "home_open", "mine.vae.zip", content)
        visitor.shown = ""  # where a file can be used, its model is the current one now

    send(whole_project)  # loads what any model file needs, so that memory is measured after it
    fuzz(visitor, int(share * PROJECTS), changed_members(whole_project), send)


# ---- messages of components


FIELDS = [  # that pages read
    "model", "collection", "action", "after", "beta", "by", "commit", "content", "data", "id", "index", "indices",
    "layout", "level", "locked", "moves", "name", "number", "panel", "place", "places", "prediction", "restored",
    "revealed", "seconds", "seq", "sign", "value", "weights", "x", "y", "z", "zs", "__proto__",
]  # fmt: skip


@pytest.mark.parametrize("share", SHARES)
def test_messages(visitor, share):
    scalars = st.one_of(
        st.none(), st.booleans(), st.integers(), st.integers(-2, 30), st.floats(), st.sampled_from(ODD),
        st.just(MODEL), st.just("mnist"), st.text(max_size=20),
    )  # fmt: skip
    values = st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=5), st.lists(st.floats(-4, 4), min_size=2, max_size=2),
            st.dictionaries(st.one_of(st.sampled_from(FIELDS), st.text(max_size=6)), inner, max_size=6),
        ),
        max_leaves=20,
    )  # fmt: skip
    objects = st.dictionaries(st.sampled_from(FIELDS), values, max_size=8).map(
        lambda fields: {"model": MODEL, "collection": "mnist", **fields}
    )
    doors = [(page, key, event) for page, keys in EVENTS.items() for key, events in keys.items() for event in events]
    arrived = set()

    def send(message):
        (page, key, event), value = message
        if visitor.send(page, key, event, value):
            arrived.add((page, key, event))

    fuzz(visitor, int(share * MESSAGES), st.tuples(st.sampled_from(doors), st.one_of(objects, values)), send)
    if share == 1:
        assert arrived == set(doors)

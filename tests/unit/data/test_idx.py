import functools
import gzip
import hashlib
import http.server
import struct
import threading

import numpy as np
import pytest

from vae.data import DATASETS, fashion, idx, mnist


def idx_bytes(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def mirror(tmp_path):
    """A web server over a folder: (address, folder)."""
    folder = tmp_path / "mirror"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", folder
    server.shutdown()


CONTENT = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
MD5 = hashlib.md5(CONTENT).hexdigest()


def test_a_download_is_checked_and_kept(mirror, tmp_path):
    address, folder = mirror
    (folder / "a.gz").write_bytes(gzip.compress(CONTENT))
    cache = tmp_path / "cache"
    assert idx.fetch("a.gz", cache, (address,), MD5) == CONTENT
    (folder / "a.gz").unlink()
    assert idx.fetch("a.gz", cache, (address,), MD5) == CONTENT  # from the folder
    assert [path.name for path in cache.iterdir()] == ["a.gz"]


def test_a_mirror_with_other_content_is_refused_and_the_next_is_asked(mirror, tmp_path):
    address, folder = mirror
    for name, content in (("bad", b"something else"), ("good", CONTENT)):
        (folder / name).mkdir()
        (folder / name / "a.gz").write_bytes(gzip.compress(content))
    cache = tmp_path / "cache"
    with pytest.raises(OSError, match="other content than expected"):
        idx.fetch("a.gz", cache, (address + "bad/",), MD5)
    assert not list(cache.iterdir())  # a bad download leaves nothing behind
    assert idx.fetch("a.gz", cache, (address + "bad/", address + "good/"), MD5) == CONTENT


def test_a_damaged_copy_is_replaced(mirror, tmp_path):
    address, folder = mirror
    (folder / "a.gz").write_bytes(gzip.compress(CONTENT))
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "a.gz").write_bytes(gzip.compress(CONTENT)[:-9])
    assert idx.fetch("a.gz", cache, (address,), MD5) == CONTENT


def test_no_mirror_tells_where_to_put_the_file(tmp_path):
    with pytest.raises(OSError, match="VAE_DATA"):
        idx.fetch("a.gz", tmp_path, ("http://127.0.0.1:9/",), MD5)


def test_parse():
    assert idx.parse(CONTENT)[1, 2].tolist() == [20, 21, 22, 23]
    for bad in (b"", b"GIF89a", CONTENT[:-1], CONTENT + b"x", CONTENT[:6]):
        with pytest.raises(ValueError):
            idx.parse(bad)


@pytest.mark.parametrize("info, source", [(mnist.INFO, mnist), (fashion.INFO, fashion)])
def test_the_shipped_gallery_is_the_official_test_split(info, source):
    split = info.load("test")
    images = split.render(np.arange(len(split)))[:, 0]
    for file, array in zip(idx.FILES["test"], (images, split.labels.astype(np.uint8)), strict=False):
        assert hashlib.md5(idx_bytes(array)).hexdigest() == source.CONTENT_MD5[file]


def test_unknown_split():
    for info in DATASETS.values():
        with pytest.raises(ValueError, match="unknown split"):
            info.load("held out")


@pytest.fixture
def whole(monkeypatch):
    """Stands in for the 60,000 training images: image i holds the bytes of i."""
    numbers = np.arange(60_000, dtype=np.uint32)
    images = np.zeros((60_000, 28, 28), np.uint8)
    images[:, 0, :4] = numbers.view(np.uint8).reshape(-1, 4)
    content = {"train-images-idx3-ubyte.gz": images, "train-labels-idx1-ubyte.gz": (numbers % 10).astype(np.uint8)}
    monkeypatch.setattr(idx, "fetch", lambda file, *rest: idx_bytes(content[file]))


def numbers_of(split):
    found = split.render(np.arange(len(split)))[:, 0, 0, :4]
    return np.ascontiguousarray(found).view(np.uint32)[:, 0].astype(int)


def test_validation_is_cut_out_of_train(whole, monkeypatch, tmp_path):
    train, validation, before = (
        mnist.INFO.load(name) for name in ("train", "validation", "train+validation")
    )
    assert [len(train), len(validation), len(before)] == [55_000, 5_000, 60_000]
    assert np.array_equal(numbers_of(before), np.arange(60_000))
    assert np.array_equal(np.sort(np.concatenate([numbers_of(train), numbers_of(validation)])), np.arange(60_000))
    assert (np.diff(numbers_of(train)) > 0).all() and not (np.diff(numbers_of(validation)[:50]) > 0).all()
    for split in (train, validation, before):
        assert np.array_equal(split.labels, numbers_of(split) % 10)
    # the split must never change: figures of adopted models depend on it
    assert numbers_of(validation)[:4].tolist() == [40106, 38521, 45491, 7326]
    monkeypatch.setattr(idx, "GALLERIES", tmp_path)
    labelled = mnist.INFO.load("labelled")
    assert len(labelled) == idx.LABELLED and set(numbers_of(labelled)) <= set(numbers_of(train))
    first, held_out = mnist.INFO.load("train-10k"), mnist.INFO.load("validation-1k")
    assert np.array_equal(numbers_of(first), numbers_of(train)[:10_000])
    assert np.array_equal(numbers_of(held_out), numbers_of(validation)[:1000])
    binary, grey = mnist.BINARY.load("validation"), mnist.BINARY.load("train")
    assert set(np.unique(binary.render(np.arange(20)))) <= {0, 255} and len(np.unique(grey.render(np.arange(200)))) > 2


@pytest.mark.parametrize("info", [mnist.INFO, fashion.INFO])
def test_training_images_with_labels_come_with_the_project(info, monkeypatch, tmp_path):
    monkeypatch.setenv("VAE_DATA", str(tmp_path))  # nothing to read there
    labelled = info.load("labelled", download=False)
    assert len(labelled) == idx.LABELLED and np.bincount(labelled.labels).min() > 230
    for name, n in (("train-10k", 10_000), ("validation-1k", 1000)):
        assert len(info.load(name, download=False)) == n
        assert (idx.GALLERIES / idx.gallery_file(info.name, name)).stat().st_size < 5e6
    with pytest.raises(OSError, match="does not ship"):
        info.load("train", download=False)

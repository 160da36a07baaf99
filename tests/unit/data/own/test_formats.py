"""Files of well-known data sets, as small ones of the same layout."""

import gzip
import io
import itertools
import pickle
import struct
import sys
import tarfile
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vae.data import own
from vae.data.own import formats

from .images import picture, unpacked, zipped

RANDOM = np.random.default_rng(0)
DIGITS = RANDOM.integers(0, 256, (130, 28, 28)).astype(np.uint8)
DIGIT_LABELS = RANDOM.integers(0, 10, 130).astype(np.uint8)
COLOURS = RANDOM.integers(0, 256, (120, 3, 32, 32)).astype(np.uint8)
COLOUR_LABELS = RANDOM.integers(0, 10, 120)


def idx(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def cifar_pickle(protocol=2):
    """A batch as Python 2 wrote it: short and long byte strings."""

    def text(value):
        return (b"U" + bytes([len(value)]) if len(value) < 256 else b"T" + struct.pack("<I", len(value))) + value

    labels = b"".join(b"K" + bytes([int(label)]) for label in COLOUR_LABELS)
    return (
        b"\x80\x02}q\x01(" + text(b"batch_label") + text(b"training batch 1 of 5") + text(b"labels") + b"]q\x02("
        + labels + b"e" + text(b"data") + b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85"
        + text(b"b") + b"tR(K\x01Kx\x86cnumpy\ndtype\n" + text(b"u1") + b"\x89" + text(COLOURS.tobytes()) + b"tb"
        + text(b"filenames") + b"](" + text(b"a.png") + b"e" + b"u."
    )  # fmt: skip


CIFAR_BIN = np.concatenate([COLOUR_LABELS.astype(np.uint8)[:, None], COLOURS.reshape(120, -1)], 1).tobytes()
GRID = np.array(list(itertools.product([0], range(3), range(2), range(5), range(2), range(2))))
SPRITES = RANDOM.integers(0, 2, (120, 64, 64)).astype(np.uint8)
DSPRITES = npz(imgs=SPRITES, latents_classes=GRID, metadata=np.array({"a": 1}, dtype=object))


def stored(source, size, folder):
    check = own.check(source, size)
    assert check.refusal == "", check.refusal
    return own.build(source, check, folder / "set", source.title, size), np.load(folder / "set" / "images.npy")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("names", ["train-images-idx3-ubyte", "t10k-images.idx3-ubyte"])
def test_idx_files_of_mnist(names, packed, tmp_path):
    files = [(names, idx(DIGITS)), (names.replace("images", "labels").replace("idx3", "idx1"), idx(DIGIT_LABELS))]
    files = [(name + ".gz", gzip.compress(content)) for name, content in files] if packed else files
    for k, source in enumerate([own.open_source(files), own.open_source(unpacked(files, tmp_path / "files"))]):
        info, images = stored(source, 28, tmp_path / str(k))
        np.testing.assert_array_equal(images[:, 0], DIGITS)
        np.testing.assert_array_equal(np.load(tmp_path / str(k) / "set" / "labels.npy"), DIGIT_LABELS)
        assert info.classes == tuple("0123456789") and info.image_shape == (1, 28, 28)
    lone = own.open_source([(names, idx(DIGITS))])
    assert len(lone) == 130 and lone.classes == ()
    both = own.open_source([*files, ("test-images-idx3-ubyte", idx(DIGITS[:50])), ("x-images-idx3-ubyte", b"")])
    assert both.refusal == "This is not a file of MNIST, or it is damaged."
    assert len(own.open_source([*files, ("test-images-idx3-ubyte", idx(DIGITS[:50]))])) == 180


def test_idx_files_that_end_early(tmp_path):
    content = idx(DIGITS)
    cut = own.check(own.open_source([("images-idx3-ubyte", content[:-3000])]), 28)
    assert cut.count + cut.broken_count == 130 and cut.broken_count == 4
    assert "be decoded and will be left out: image" in " ".join(cut.sentences)
    assert own.open_source([("images-idx3-ubyte", content[:9])]).refusal.startswith("This is not a file of MNIST")
    assert own.open_source([("labels-idx1-ubyte", idx(DIGIT_LABELS))]).refusal.endswith("(images-idx3-ubyte).")
    wrong = own.open_source([("images-idx3-ubyte", content), ("labels-idx1-ubyte", idx(DIGIT_LABELS[:9]))])
    assert wrong.refusal == "The idx files of images and of labels have different lengths."
    huge = struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 60_000, 60_000)
    assert own.open_source([("images-idx3-ubyte", huge)]).refusal.startswith("This is not a file of MNIST")


def test_dsprites_is_a_grid(tmp_path):
    info, images = stored(own.open_source([("dsprites.npz", DSPRITES)]), 64, tmp_path)
    np.testing.assert_array_equal(images[:, 0], 255 * SPRITES)
    assert info.title == "dSprites" and info.licence == "Apache 2.0"
    assert info.grid.names == ("shape", "scale", "orientation", "x", "y")  # the colour is always the same
    assert info.grid.values[0] == ("square", "ellipse", "heart") == info.classes
    np.testing.assert_array_equal(info.grid.render(GRID[:, 1:]), images)


@pytest.mark.parametrize(
    "content",
    [npz(imgs=SPRITES), npz(imgs=SPRITES[:, :9], latents_classes=GRID), npz(imgs=SPRITES, latents_classes=GRID[:50]),
     npz(imgs=np.array([{}] * 3), latents_classes=GRID), DSPRITES[:-100], b"PK\x03\x04", b""],
)  # fmt: skip
def test_another_npz_is_not_dsprites(content):
    assert own.open_source([("a.npz", content)]).refusal == "This is not a file of dSprites, or it is damaged."


@pytest.mark.parametrize("name, content", [("data_batch_1", cifar_pickle()), ("test_batch.bin", CIFAR_BIN)])
def test_cifar_10_of_both_versions(name, content, tmp_path):
    info, images = stored(own.open_source([(name, content), ("batches.meta", b"x")]), 32, tmp_path)
    np.testing.assert_array_equal(images, COLOURS)
    np.testing.assert_array_equal(np.load(tmp_path / "set" / "labels.npy"), COLOUR_LABELS)
    assert info.classes[6] == "frog" and info.image_shape == (3, 32, 32) and info.title == "CIFAR-10"


def test_cifar_10_as_it_is_downloaded(tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(None, "w:gz", buffer) as archive:
        for name in ("data_batch_1.bin", "data_batch_2.bin", "readme.html"):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/../{name}")
            member.size = len(CIFAR_BIN)
            archive.addfile(member, io.BytesIO(CIFAR_BIN))
    source = own.open_source([("cifar-10-binary.tar.gz", buffer.getvalue())])
    assert len(source) == 240 and len(list(source.pictures())) == 240
    damaged = own.open_source([("cifar-10-binary.tar.gz", buffer.getvalue()[:2000])])
    assert damaged.refusal == "This is not a file of CIFAR-10, or it is damaged."


class Evil:
    def __reduce__(self):
        return exec, ("raise SystemExit('unpickled')",)


def test_a_pickle_is_never_executed():
    content = pickle.dumps({"labels": [1] * 120, "data": COLOURS.tobytes(), "evil": Evil()}, 2)
    for name in ("data_batch_1", "data_batch_1.bin"):
        source = own.open_source([(name, content)])
        assert source.refusal.startswith("This is not a file of CIFAR-10") or len(source) == 120
    memo = b"\x80\x02}r\xff\xff\xff\x7f."  # an index that makes an unpickler take 16 GB
    assert own.open_source([("data_batch_1", memo)]).refusal


FORMAT_FILES = ("data_batch_1", "images-idx3-ubyte", "a.npz", "cifar-10-python.tar.gz", "list_attr_celeba.txt")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 3000), st.binary(min_size=1, max_size=4), st.sampled_from(FORMAT_FILES))
def test_damaged_files_get_a_sentence(at, change, name):
    content = bytearray(WHOLE[name])
    content[at % len(content) : at % len(content) + len(change)] = change
    source = own.open_source([(name, bytes(content)), ("000001.jpg", picture(1))])
    assert source.refusal.endswith(".") or sum(1 for _ in source.pictures()) == len(source)


CELEBA = "120\nBald Smiling Young\n" + "".join(
    f"{i + 1:06}.jpg {'-1' if i % 3 else ' 1'} {'-1' if i % 2 else ' 1'} {'-1' if i % 5 else ' 1'}\n"
    for i in range(120)
)


WHOLE = dict(zip(
    FORMAT_FILES, (cifar_pickle(), idx(DIGITS), DSPRITES, gzip.compress(bytes(2000)), CELEBA.encode()), strict=True,
))  # fmt: skip


def test_a_folder_of_celeba(tmp_path):
    files = [(f"img_align_celeba/{i + 1:06}.jpg", picture(i, (178, 218), True, "JPEG")) for i in range(110)]
    for table in (("list_attr_celeba.txt", CELEBA), ("list_attr_celeba.csv", "image_id," + CELEBA.split("\n", 1)[1]
                   .replace("  ", ",").replace(" ", ","))):  # fmt: skip
        source = own.open_source(unpacked([*files, table], tmp_path / table[0][-3:]))
        assert source.refusal == "" and len(source) == 110 and source.classes == ("not smiling", "smiling")
        np.testing.assert_array_equal(source.labels, [1 - i % 2 for i in range(110)])
        assert source.table.factors.names == ("Bald", "Smiling", "Young")
        np.testing.assert_array_equal(source.table.rows[:, 0], [int(i % 3 == 0) for i in range(110)])
        check = own.check(source, 64)
        assert check.count == 110 and check.colour and check.sizes == ((178, 218), (178, 218))
    lost = own.open_source([("list_attr_celeba.txt", CELEBA.encode())])
    assert lost.refusal == "The list of CelebA's attributes is here, but none of its images."


def test_3d_shapes_need_a_package_that_is_not_required(monkeypatch):
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: None)
    source = own.open_source([("3dshapes.h5", b"\x89HDF\r\n")])
    assert source.refusal == "Files of 3D Shapes need the package h5py: run `pip install h5py`."


class Dataset:
    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, rows):
        return self.array[rows]

    def __array__(self, dtype=None, copy=None):
        return self.array


def test_3d_shapes(monkeypatch, tmp_path):
    """h5py is not among the project's requirements: its file is stood in for by one that has the same datasets."""
    images = RANDOM.integers(0, 256, (120, 64, 64, 3)).astype(np.uint8)
    labels = np.array(list(itertools.product(range(3), range(2), range(2), [0.75, 1.25], range(5), [-30.0]))) * 1.0

    class File(dict):
        def __init__(self, file, mode):
            assert file.read(4) == b"\x89HDF" and mode == "r"
            super().__init__(images=Dataset(images), labels=Dataset(labels))

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

    module = types.ModuleType("h5py")
    module.File, module.__spec__ = File, types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "h5py", module)
    info, found = stored(own.open_source([("3dshapes.h5", b"\x89HDF\r\n")]), 64, tmp_path)
    np.testing.assert_array_equal(found, images.transpose(0, 3, 1, 2))
    assert info.grid.names == ("floor hue", "wall hue", "object hue", "scale", "shape")
    assert info.grid.values[3] == ("0.75", "1.25")


def test_a_format_is_found_in_a_zip_too():
    files = [("mnist/train-images-idx3-ubyte", idx(DIGITS)), ("mnist/train-labels-idx1-ubyte", idx(DIGIT_LABELS))]
    source = own.open_source([("mnist.zip", zipped(files))], title="Mine")
    assert len(source) == 130 and source.title == "Mine"


def test_a_tar_that_unpacks_to_far_more_is_refused_before_it_does(monkeypatch):
    """Of two members the first is too large to be passed over; an extended header would be read whole."""
    monkeypatch.setattr(formats, "MAX_TAR", 2**20)
    monkeypatch.setattr(formats, "MAX_BATCH", 2**18)
    for kind, size in ((tarfile.REGTYPE, 2**21), (tarfile.XHDTYPE, 2**19), (tarfile.GNUTYPE_LONGNAME, 2**19)):
        file = io.BytesIO()
        with gzip.open(file, "wb") as packed:
            for name in ("data_batch_1", "data_batch_2"):
                member = tarfile.TarInfo(name)
                member.type, member.size = kind, size
                packed.write(member.tobuf(tarfile.USTAR_FORMAT) + bytes(size))
        source = own.open_source([("cifar-10-python.tar.gz", file.getvalue())])
        assert "unpacks to more than" in source.refusal, kind


def test_arrays_of_more_images_than_any_data_set_has_are_not_read(monkeypatch):
    monkeypatch.setattr(formats, "MAX_IMAGES", 10)
    assert "is not a file of dSprites" in own.open_source([("d.npz", DSPRITES)]).refusal

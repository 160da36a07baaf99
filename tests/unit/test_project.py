"""Project files: what is written is read again, and what does not fit is refused, within little memory."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from tests import own_model
from vae import __main__, project, store
from vae.project import ProjectError
from vae.store import ModelUnavailable, Store

MAX_ADDED = 100 * 2**20  # bytes of memory that a refused file may cost


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    root = tmp_path_factory.mktemp("theirs")
    own_model.make(root)
    return project.write(Store([root]), "mine")


@pytest.fixture
def into(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(files, compression=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def with_card(content, **changes):
    files = members(content)
    return pack({**files, "card.json": json.dumps({**json.loads(files["card.json"]), **changes})})


def with_weights(content, change):
    """Change the tensors, and let the card know their checksum."""
    files = members(content)
    weights = save(change(load(files["model.safetensors"])))
    return with_card(
        pack({**files, "model.safetensors": weights}), weights_sha256=hashlib.sha256(weights).hexdigest()
    )


def npz(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


# ---- writing and reading


def test_a_model_with_its_own_data_is_read_to_the_same_pictures(exported, into):
    card = project.read(exported, into)
    model = Store([into]).load("mine")
    theirs = members(exported)
    assert card.title == "Shapes in 2-D" and model.card == card
    assert (into / "mine" / "model.safetensors").read_bytes() == theirs["model.safetensors"]
    assert np.array_equal(Store([into]).read_map("mine").codes, np.load(io.BytesIO(theirs["map.npz"]))["codes"])
    split = Store([into]).dataset(card).load("test")
    assert np.array_equal(split.render(np.arange(own_model.N))[:, 0], own_model.images()[0])
    assert Store([into]).first_view(card)["start"]["z"] == pytest.approx(model.encode(split.batch([0])[0]).mean[0])
    assert Store([into]).scan() == ([card], {})
    assert sorted(path.name for path in into.iterdir()) == ["galleries", "mine"]


def test_the_same_model_gives_the_same_file(exported, tmp_path):
    own_model.make(tmp_path)
    assert project.write(Store([tmp_path]), "mine") == exported
    project.read(exported, tmp_path / "again")
    again = members(project.write(Store([tmp_path / "again"]), "mine"))
    assert again["gallery.npz"] == members(exported)["gallery.npz"]


def test_a_name_that_is_taken_gets_a_number_and_equal_images_are_kept_once(exported, into):
    assert [project.read(exported, into).name for _ in range(3)] == ["mine", "mine-2", "mine-3"]
    assert [path.name for path in (into / "galleries").iterdir()] == ["shapes.npz"]


def test_other_images_of_the_same_name_stay_apart(exported, into, tmp_path):
    own_model.make(tmp_path / "other", seed=1)
    project.read(exported, into)
    card = project.read(project.write(Store([tmp_path / "other"]), "mine"), into)
    assert (card.name, card.data) == ("mine-2", "shapes-2")
    split = Store([into]).dataset(card).load("test")
    assert np.array_equal(split.render(np.arange(3))[:, 0], own_model.images(1)[0][:3])


def test_a_suffix_is_part_of_both_names(exported, into):
    card = project.read(exported, into, suffix="-0123456789abcdef")
    assert (card.name, card.data) == ("mine-0123456789abcdef", "shapes-0123456789abcdef")
    long = with_card(exported, name="m" * 60)
    assert project.read(long, into, suffix="-0123456789abcdef").name == "m" * 43 + "-0123456789abcdef"


def test_a_shipped_model_is_read_without_its_images_and_keeps_its_figures(into):
    content = project.write(store.shipped(), "mnist-vae-2d")
    assert "gallery.npz" not in members(content) and "memory.npz" in members(content)
    card, shipped = project.read(content, into), store.shipped().read_card("mnist-vae-2d")
    assert (card.name, card.figures, card.recipe) == ("mnist-vae-2d-2", shipped.figures, shipped.recipe)
    assert Store([into]).read_memory(card.name).train_images


def test_a_network_file_is_never_trusted(exported, into):
    files = members(exported)
    network = json.loads(files["network.json"])
    network["networks"]["decode"]["nodes"] = []
    network["first_view"]["summary"] = "<script>alert(1)</script>"
    card = project.read(pack({**files, "network.json": json.dumps(network), "cover.webp": b"no picture"}), into)
    found = Store([into]).read_network(card.name)
    assert found["networks"]["decode"]["nodes"] and "script" not in found["first_view"]["summary"]
    assert (into / card.name / "cover.webp").read_bytes()[8:12] == b"WEBP"


def test_texts_are_harmless(exported, into):
    evil = "![x](http://tracker/x.png) <img src=http://tracker> [a](javascript:b) \n# Title $x$"
    card = project.read(with_card(exported, title=evil, description=evil, note=evil, recipe={"split": evil}), into)
    for text in (card.title, card.description, card.note, card.recipe["split"]):
        assert not any(part in text for part in ("![", "](", "<img", "\n", "$"))
    assert len(card.title) <= project.MAX_TITLE
    kept = "p(x | z) in [0, 1], KL < 3 nats, *beta* 4, \u03b2-VAE_2"
    assert project.harmless(kept) == kept


def test_the_folder_of_a_training_is_taken_with_its_network(tmp_path, into):
    own_model.make(tmp_path / "result")
    card = project.take(tmp_path / "result", into)
    assert card.name == "mine" and (tmp_path / "result" / "mine").exists()
    for file in ("network.json", "cover.webp"):
        assert (into / "mine" / file).exists()
    assert Store([into]).first_view(card)
    own_model.make(tmp_path / "result", "second")
    with pytest.raises(ProjectError, match="2 models, not one"):
        project.take(tmp_path / "result", into)


def test_a_title_changes_and_the_first_view_stays(exported, into):
    project.read(exported, into)
    card = project.retitle(Store([into]), "mine", "  Shapes,\nnewer ")
    assert card.title == "Shapes, newer" and Store([into]).read_card("mine") == card
    assert Store([into]).first_view(card)["start"]
    with pytest.raises(ProjectError, match="needs a title"):
        project.retitle(Store([into]), "mine", " \n")


def test_a_model_is_removed_with_images_that_no_other_needs(exported, into):
    for _ in range(2):
        project.read(exported, into)
    Store([into]).remove("mine")
    assert (into / "galleries" / "shapes.npz").exists()
    Store([into]).remove("mine-2")
    assert [path.name for path in into.iterdir()] == ["galleries"] and not any((into / "galleries").iterdir())
    with pytest.raises(ModelUnavailable, match="ships with the project"):
        store.shipped().remove("mnist-vae-2d")


def test_the_command_line_writes_and_reads_a_file(into, tmp_path, capsys, monkeypatch):
    own_model.make(into)
    monkeypatch.chdir(tmp_path)
    assert __main__.main(["export", "mine"]) == 0
    assert __main__.main(["import", "mine.vae.zip"]) == 0
    assert "mine-2: Shapes in 2-D" in capsys.readouterr().out
    (tmp_path / "mine.vae.zip").write_bytes(b"PK\x03\x04")
    assert __main__.main(["import", "mine.vae.zip"]) == 1
    assert "error: this is not a project file" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(exported, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="cannot be written"):
        project.read(exported, tmp_path / "home")


def test_a_file_in_place_of_the_folder_is_named(exported, tmp_path):
    (tmp_path / "home").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match=r"home cannot be written \(Not a directory\)"):
        project.read(exported, tmp_path / "home")


# ---- refusals


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/executed",)


def without(name):
    return lambda content: pack({k: v for k, v in members(content).items() if k != name})


def member(name, content):
    return lambda exported: pack({**members(exported), name: content})


def card(**changes):
    return lambda content: with_card(content, **changes)


def config(**changes):
    def change(content):
        stored = json.loads(members(content)["card.json"])["config"]
        return with_card(content, config={**stored, **changes})

    return change


def weights(change):
    return lambda content: with_weights(content, change)


def gallery(**changes):
    def change(content):
        pictures, labels = own_model.images()
        return member("gallery.npz", npz(**{"images": pictures, "labels": labels, **changes}))(content)

    return change


def maps(**changes):
    def change(content):
        arrays = dict(np.load(io.BytesIO(members(content)["map.npz"])))
        return member("map.npz", npz(**{**arrays, **changes}))(content)

    return change


def figures(**changes):
    return card(figures={"kl_per_dim": [1.0, 1.0], **changes})


def with_nan(array):
    changed = array.copy()
    changed.flat[0] = np.nan
    return changed


def truncated(content):
    return content[: len(content) // 2]


def flipped(content):
    files = members(content)
    changed = bytearray(files["model.safetensors"])
    changed[-1] ^= 1
    return pack({**files, "model.safetensors": bytes(changed)})


def twice(content):
    packed = io.BytesIO(content)
    with zipfile.ZipFile(packed, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("card.json", b"{}")
    return packed.getvalue()


def many_members(content):
    return pack(dict.fromkeys((f"{i}.txt" for i in range(70_000)), b""), zipfile.ZIP_STORED)


def many_arrays(content):
    return member("gallery.npz", many_members(b""))(content)


def encrypted(content):
    changed = bytearray(content)
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        changed[changed.index(signature) + flags] |= 1
    return bytes(changed)


def bzip2(content):
    return pack(members(content), zipfile.ZIP_BZIP2)


def long_list_of_tensors(content):
    header = json.dumps({
        f"{i:012}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(500_000)
    }).encode()
    return member("model.safetensors", len(header).to_bytes(8, "little") + header)(content)


def npy_bomb(content):
    """An array that says it has 64 GB, in a few bytes."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (2**36,)})
    return member("gallery.npz", pack({"images.npy": file.getvalue(), "labels.npy": b""}))(content)


def object_array(content):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([Evil()], dtype=object), allow_pickle=True)
    return member("gallery.npz", pack({"images.npy": file.getvalue()}))(content)


def nested(depth):
    return '{"a":' * depth + "1" + "}" * depth


CASES = {
    "text": (lambda content: b"hello", "no zip, or is damaged"),
    "nothing": (lambda content: b"", "no zip, or is damaged"),
    "cut off": (truncated, "no zip, or is damaged"),
    "another zip": (lambda content: pack({"photo.png": b""}), "no project file holds a member 'photo.png'"),
    "a path that climbs": (member("../../model.safetensors", b""), "no project file holds a member '../../model"),
    "an absolute path": (member("/etc/passwd", b""), "no project file holds a member '/etc/passwd'"),
    "a pickle": (member("model.pkl", b"\x80\x04."), "no project file holds a member 'model.pkl'"),
    "a zip in the zip": (member("model.zip", pack({})), "no project file holds a member 'model.zip'"),
    "a card twice": (twice, "card.json more than once"),
    "no card": (without("card.json"), "it has no card.json"),
    "no weights": (without("model.safetensors"), "it has no model.safetensors"),
    "no images": (without("gallery.npz"), "holds no images of it"),
    "70,000 members": (many_members, "no zip, or is damaged"),
    "encrypted": (encrypted, "is encrypted"),
    "bzip2": (bzip2, "compressed in an unusual way"),
    "a bomb": (member("map.npz", bytes(30 * 2**20)), "more than 100 times as large"),
    "a larger bomb": (member("map.npz", bytes(200 * 2**20)), "map.npz has more than 32 MB"),
    "a bomb of numpy": (npy_bomb, "gallery.npz unpacks to more than 64 MB"),
    "a bomb in gallery.npz": (gallery(images=np.zeros((90_000, 28, 28), np.uint8)), "MB|more than 100 times"),
    "70,000 arrays": (many_arrays, "gallery.npz is damaged"),
    "a pickle in gallery.npz": (object_array, "Python objects"),
    "weights that are text": (member("model.safetensors", b"hello world"), "in its weights has more than"),
    "weights that are a pickle": (member("model.safetensors", b"\x80\x02}q\x00." + bytes(90)), "weights"),
    "a long list of tensors": (long_list_of_tensors, "list of tensors in its weights has more than 1 MB"),
    "a wrong key": (weights(lambda t: {**t, "extra": np.zeros(3, np.float32)}), "does not ask for 'extra'"),
    "a missing key": (weights(lambda t: dict(list(t.items())[1:])), "they lack '|more tensors than"),
    "a wrong shape": (weights(lambda t: {k: v[..., :1].copy() for k, v in t.items()}), "has shape"),
    "a wrong dtype": (weights(lambda t: {k: v.astype(np.float64) for k, v in t.items()}), "dtype F64"),
    "weights that are not finite": (weights(lambda t: {k: with_nan(v) for k, v in t.items()}), "not finite"),
    "a flipped bit": (flipped, "another checksum"),
    "a card that is a list": (member("card.json", b"[]"), "card.json cannot be read"),
    "a card of a million numbers": (member("card.json", b"[" + b"1," * 2**20 + b"1]"), "has more than 1 MB"),
    "a deep card": (member("card.json", nested(100_000)), "more than 100 times|card.json cannot be read"),
    "a card without a field": (member("card.json", b'{"name": "mine"}'), "card.json cannot be read"),
    "a title that is a number": (card(title=5), "'title' of its card.json must be text"),
    "an unknown family": (card(family="gan"), "family 'gan' is not known"),
    "an unknown objective": (card(recipe={"objective": "exec"}), "objective 'exec' is not known"),
    "a lie about latent_dim": (card(latent_dim=3), "two different values of latent_dim"),
    "a lie about the checksum": (card(weights_sha256="0" * 64), "another checksum"),
    "a lie about the width": (config(encoder=[17]), "has shape"),
    "a name of data that climbs": (card(data="../mnist"), "a-z, 0-9 and hyphens"),
    "data of another shape": (card(data="rooms", dataset={}), "those of its data set"),
    "a figure that is NaN": (figures(active_units=float("nan")), "not a finite number"),
    "a figure that is huge": (figures(active_units=10**400), "not a finite number"),
    "a figure that is text": (figures(active_units="many"), "not a finite number"),
    "a figure of another kind": (figures(active_units={"a": 1}), "cannot be shown"),
    "scores that are lists": (figures(infom=[0.5]), "cannot be shown"),
    "a name of no dimension": (card(dimensions={"2": "width"}), "names of dimensions"),
    "a dimension of 5,000 digits": (card(dimensions={"9" * 5000: "width"}), "names of dimensions"),
    "a long name of a dimension": (card(dimensions={"0": "w" * 41}), "names of dimensions"),
    "an unknown figure": (figures(beauty=1), "not known here: 'beauty'"),
    "too few figures": (figures(kl_per_dim=[1.0]), "'kl_per_dim' of its card must have 2 values"),
    "a selection that lies": (card(selection={"split": "validation"}), "cannot be shown"),
    "a network of 100 layers": (config(encoder=[1] * 100), "'encoder' of its config has more than 16"),
    "a width of a billion": (config(encoder=[10**9]), "numbers up to 65,536"),
    "a network within a config": (config(encoder=[[1, 2]]), "something else than text and numbers"),
    "a million steps of a flow": (
        lambda content: with_card(config(flow_steps=65_000)(content), family="iaf"), "many more tensors than the"),
    "huge images": (config(image_shape=[1, 9999, 9999]), "at most 256 x 256"),
    "a shape that is text": (config(image_shape="28"), "the shape of an image"),
    "huge feature maps": (config(network="conv", channels=[60_000, 8]), "feature map of its config"),
    "no classes": (card(dataset={"title": "Shapes", "classes": []}), "must name the classes"),
    "a description of another kind": (card(dataset={"title": 5, "classes": ["a", "b"]}), "has the wrong type"),
    "images of another shape": (gallery(images=np.zeros((120, 32, 32), np.uint8)), "of the model's shape"),
    "images of another dtype": (gallery(images=np.zeros((120, 28, 28), np.float32)), "of the model's shape"),
    "fewer labels than images": (gallery(labels=np.zeros(3, np.int64)), "a label for each"),
    "labels out of range": (gallery(labels=np.full(120, 9)), "not classes of its data set"),
    "a map of other images": (maps(rows=np.arange(own_model.N) + 1), "more images than the 120"),
    "a map of another model": (maps(codes=np.zeros((own_model.N, 5), np.float32)), "does not belong to this model"),
    "a map that is not finite": (maps(recon=np.full(own_model.N, np.nan, np.float32)), "not finite"),
    "a map that is text": (member("map.npz", b"hello"), "map.npz is damaged"),
    "a memory that is text": (member("memory.npz", b"hello"), "memory.npz is damaged"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_bad_file_is_refused_with_its_reason(case, exported, into):
    change, reason = CASES[case]
    with pytest.raises(ProjectError, match=reason) as raised:
        project.read(change(exported), into)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 400
    assert not Path("/tmp/executed").exists()
    assert not [path for path in into.rglob("*") if path.is_file()], "a refused file leaves nothing"


def test_a_file_that_is_too_large_is_refused_before_it_is_opened(into, tmp_path):
    with (tmp_path / "large.vae.zip").open("wb") as file:
        file.truncate(project.MAX_FILE_BYTES + 1)
    with pytest.raises(ProjectError, match="at most 128 MB"):
        project.read(tmp_path / "large.vae.zip", into)


READ = """
import resource, sys
from pathlib import Path
import torch
from vae import project, store
from vae.evaluation import report
from vae.models.portable import network_file

project.read(Path(sys.argv[1]), Path(sys.argv[2]))  # loads what reading imports
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[3:]:
    try:
        project.read(Path(path), Path(sys.argv[2]))
        print("read", path)
    except project.ProjectError:
        pass
    print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before), path)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
@pytest.mark.slow
def test_refusing_takes_little_memory(exported, into, tmp_path):
    (tmp_path / "good").write_bytes(exported)
    bad = []
    for i, (change, _) in enumerate(CASES.values()):
        bad.append(tmp_path / f"bad-{i}")
        bad[-1].write_bytes(change(exported))
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "good"), str(into), *map(str, bad)], capture_output=True,
        text=True, encoding="utf-8", cwd=Path(__file__).parents[2], check=True,
    )  # fmt: skip
    added = {path: int(size) for size, _, path in (line.partition(" ") for line in done.stdout.splitlines())}
    assert len(added) == len(CASES)
    assert max(added.values()) < MAX_ADDED, done.stdout


def test_refused_files_leave_a_folder_as_it_was(exported, into):
    project.read(exported, into)
    before = {path: path.stat().st_mtime_ns for path in into.rglob("*") if path.is_file()}
    with pytest.raises(ProjectError):
        project.read(flipped(exported), into)
    assert {path: path.stat().st_mtime_ns for path in into.rglob("*") if path.is_file()} == before
    shutil.rmtree(into)

"""The user's own data sets in a store, and models of them."""

import dataclasses

import numpy as np
import pytest
import torch

from tests.unit.data.own.images import named, unpacked, zipped
from tests.unit.test_store import CONFIG
from vae import __main__ as cli
from vae import store
from vae.data import DATASETS, own
from vae.data.described import described, description
from vae.models import FAMILIES


def built(folder, title="Mine", n=120, table=False):
    files = named(n)
    rows = "".join(f"{name},{i % 2},{i % 3}\n" for i, (name, _) in enumerate(files))
    files += [("factors.csv", f"file,x,y\n{rows}")] * table
    source = own.open_source([("a.zip", zipped(files))])
    return own.build(source, own.check(source, 28), folder, title, 28)


def card(data, dataset):
    torch.manual_seed(0)
    model = FAMILIES["ae"](CONFIG).eval()
    model.fit_prior(torch.randn(50, 2))
    made = store.ModelCard(
        name="tiny", title="Tiny", description="", family="ae", data=data, image_shape=(1, 28, 28), latent_dim=2,
        config=dataclasses.asdict(CONFIG), recipe={}, licence="MIT", weights_sha256="", dataset=dataset,
    )  # fmt: skip
    return model, made


def test_registered_and_own_data_sets_are_listed(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    built(first / "data" / "cats", "Cats")
    built(second / "data" / "cats", "Other cats")
    built(second / "data" / "dogs", "Dogs")
    built(second / "data" / "mnist", "Not MNIST")
    (second / "data" / "broken").mkdir()
    (second / "data" / "broken" / "data.json").write_text("{", encoding="utf-8")
    (second / "data" / "fashion-mnist").mkdir()
    found, problems = store.Store([first, second]).scan_datasets()
    assert {name: info.title for name, info in found.items()} == {"cats": "Cats", "dogs": "Dogs"}
    assert set(problems) == {"cats", "mnist", "broken"} and "used instead" in problems["cats"]
    assert list(store.Store([first, second]).datasets()) == [*DATASETS, "cats", "dogs"]
    assert set(store.Store([first]).scan_datasets()[0]) == {"cats"}


def test_vae_data_belongs_to_the_users_own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "elsewhere"))
    built(tmp_path / "elsewhere" / "cats")
    built(tmp_path / "home" / "data" / "dogs")
    assert set(store.Store().scan_datasets()[0]) == {"cats", "dogs"}
    assert store.Store([tmp_path / "session"]).scan_datasets() == ({}, {})  # a visitor's own store has the visitor's


def test_a_model_finds_its_data_set(tmp_path):
    info = built(tmp_path / "data" / "mine", table=True)
    model, made = card("mine", description(info))
    here = store.Store([tmp_path])
    here.save(model, made)
    assert here.available()[0].name == "tiny"
    found = here.dataset(here.read_card("tiny"))
    assert found.load("train").factors is not None and found.title == "Mine"
    (tmp_path / "galleries").mkdir()
    np.savez_compressed(tmp_path / "galleries" / "mine.npz", **info.gallery("test"))
    found = here.dataset(here.read_card("tiny"))  # now the gallery, which the model's map belongs to
    with pytest.raises(OSError, match="no train split"):
        found.load("train")
    one, other = found.load("test"), info.load("test")
    np.testing.assert_array_equal(one.render(np.arange(12)), other.render(np.arange(12)))
    np.testing.assert_array_equal(one.factors, other.factors)
    np.testing.assert_array_equal(one.labels, other.labels)
    assert found.factors == info.factors and found.grid is None


@pytest.mark.parametrize(
    "factors",
    [[], {"names": ["x"]}, {"names": ["x", "x"], "values": [["1"], ["1"]]}, {"names": ["x"], "values": [[]]},
     {"names": [3], "values": [["1"]]}, {"names": ["x"], "values": [["1"], ["2"]]}, {"names": ["x"], "values": "1"},
     {"names": ["x"], "values": [["y" * 300]]}],
)  # fmt: skip
def test_a_description_with_damaged_factors_is_refused(factors):
    with pytest.raises(ValueError, match="factor"):
        described("mine", (1, 28, 28), {"title": "Mine", "classes": ["a"], "factors": factors}, [])


@pytest.mark.parametrize(
    "change", [{"factors": np.zeros((12, 3), np.uint8)}, {"factors": np.full((12, 2), 9)}, {"factors": np.zeros(12)},
               {"factors": None}],
)  # fmt: skip
def test_a_gallery_with_damaged_factors_is_refused(tmp_path, change):
    info = built(tmp_path / "mine", table=True)
    arrays = {key: value for key, value in {**info.gallery("test"), **change}.items() if value is not None}
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(OSError, match="mine.npz"):
        described("mine", (1, 28, 28), description(info), [tmp_path]).load("test")


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VAE_DATA", raising=False)
    return tmp_path


def test_a_data_set_is_added_listed_and_removed_on_the_command_line(own_home, capsys):
    source = unpacked([*named(), ("a/x_.png", b"no")], own_home / "Cats & dogs")
    assert cli.main(["data", "list"]) == 0 and "There are no data sets of your own" in capsys.readouterr().out
    assert cli.main(["data", "add", "cats", str(source), "--size", "32"]) == 0
    out = capsys.readouterr().out
    assert "1 file cannot be decoded and will be left out: a/x_.png." in out
    assert str(own_home / "home" / "data" / "cats") in out
    assert store.Store().datasets()["cats"].image_shape == (1, 32, 32)
    assert cli.main(["data", "list"]) == 0
    assert "Cats  dogs" in (out := capsys.readouterr().out) and "120 images (1, 32, 32), 2 classes" in out
    assert cli.main(["data", "remove", "cats"]) == 0 and store.Store().scan_datasets() == ({}, {})
    assert not (own_home / "home" / "data" / "cats").exists() and source.exists()


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["add", "../x", "."], "a-z, 0-9 and hyphens only"),
        (["add", "mnist", "."], "there is a data set 'mnist' already"),
        (["add", "few", "few"], "There are 3 images"),
        (["add", "none", "nowhere"], "No such file"),
        (["remove", "../few"], "a-z, 0-9 and hyphens only"),
        (["remove", "mnist"], "no data set of your own named 'mnist'"),
    ],
)
def test_a_mistake_on_the_command_line_gets_a_sentence(own_home, capsys, monkeypatch, arguments, sentence):
    unpacked(named(3), own_home / "few")
    monkeypatch.chdir(own_home)
    assert cli.main(["data", *arguments]) == 1
    assert sentence in capsys.readouterr().err
    assert not list((own_home / "home").rglob("*.npy"))

import os
import signal
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import vae
from vae import folders
from vae.data import DATASETS, pictures
from vae.data.archives import File
from vae.jobs import Busy, JobError
from vae.latent import maps, own_map
from vae.uploads import UploadError

from ...long import some_long


def digits(n):
    x, labels = DATASETS["mnist"].load("test").batch(range(n))
    contents = [pictures.png(pictures.to_image(pixels)) for pixels in pictures.to_uint8(x)]
    return x, [File(f"{i}.png", f"of {label}", c) for i,
        (label, c) in enumerate(zip(labels.tolist(), contents, strict=False))]


def finished(job, seconds=180):
    """Waits, and gives every stage that was told on the way."""
    stages, until = set(), time.monotonic() + seconds
    while job.alive:
        assert time.monotonic() < until
        stages.add(job.progress().stage.split(" ")[0])
        time.sleep(0.05)
    return stages


@pytest.mark.slow
def test_images_are_encoded_and_fitted_in_a_process_of_their_own():
    _, files = digits(6)
    files[3] = File("broken.png", "of 0", b"not an image")
    job = own_map.Job("mnist-vae-2d", files)
    assert job.process.pid != os.getpid()
    stages = finished(job)
    assert "loading" in stages
    found = job.result()
    assert not job.folder.exists()
    assert found.left_out == 1 and found.names == ("0.png", "1.png", "2.png", "4.png", "5.png")
    assert found.folders == ("of 7", "of 2", "of 1", "of 4", "of 1")
    assert found.map_parameters["n_neighbors"] == 4 and found.encoded.rows.tolist() == [0, 1, 2, 4, 5]
    assert all(0 <= trust <= 1 for trust in found.map_parameters["trustworthiness"].values())
    # the codes are those of the images as the model sees them
    model, x = vae.load("mnist-vae-2d"), torch.from_numpy(found.images).float() / 255
    np.testing.assert_allclose(found.encoded.codes, model.encode(x).mean, atol=1e-5)
    expected = -model.likelihood(torch.from_numpy(found.encoded.codes)).log_prob(x)
    np.testing.assert_allclose(found.encoded.recon, expected, rtol=1e-4)


CONTAINERS = ("no HOME", "no HOME and no entry of the user", "HOME cannot be written to")


@pytest.fixture(params=CONTAINERS)
def container(request, tmp_path, monkeypatch):
    """The environment of a container in which numba finds no place of its own choice for its cache."""
    for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "no HOME and no entry of the user":
        monkeypatch.setattr(folders.platformdirs, "user_cache_path", lambda *_, **__: Path("~/.cache"))
    if request.param == "HOME cannot be written to":
        (tmp_path / "file").touch()
        monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
    # the libraries belong to another user
    locators = ("UserProvidedCacheLocator", "UserWideCacheLocator")
    monkeypatch.setenv("NUMBA_CACHE_LOCATOR_CLASSES", ",".join(f"numba.core.caching.{name}" for name in locators))
    maps.numba_cache.cache_clear()
    yield request.param
    maps.numba_cache.cache_clear()


def test_numba_has_a_folder_that_it_can_write_to(container):
    cache = Path(maps.numba_cache())
    (cache / "written").touch()
    (cache / "written").unlink()
    temporary = cache == Path(maps._temporary_folder().name)
    assert temporary == (container != "no HOME") and cache.is_absolute()


@pytest.mark.slow
@pytest.mark.parametrize("container", some_long(CONTAINERS, CONTAINERS[:1]), indirect=True)
def test_a_map_is_fitted_in_a_container(container):
    job = own_map.Job("mnist-vae-2d", digits(5)[1])
    finished(job, 590)
    assert job.result().encoded.umap.shape == (5, 2)
    assert os.listdir(maps.numba_cache())


def test_a_crash_is_told_and_survived():
    job = own_map.Job("mnist-vae-2d", digits(5)[1])
    os.kill(job.process.pid, signal.SIGKILL)
    finished(job)
    with pytest.raises(JobError, match=r"ended without a result \(exit -9\)"):
        job.result()
    assert not job.folder.exists()


def test_a_fit_can_be_cancelled():
    job = own_map.Job("mnist-vae-2d", digits(5)[1])
    job.cancel()
    assert not job.alive and not job.folder.exists()
    job.cancel()  # again is no error


def test_too_few_that_can_be_decoded():
    files = digits(5)[1][:2] + [File("x.png", "", b"x")] * 4
    job = own_map.Job("mnist-vae-2d", files)
    finished(job)
    with pytest.raises(JobError, match="Only 2 of 6 files could be decoded; a map needs 5 images"):
        job.result()


def test_two_at_once_are_enough_for_one_machine():
    files = digits(5)[1]
    jobs = [own_map.Job("mnist-vae-2d", files) for _ in range(own_map.MAX_JOBS)]
    try:
        with pytest.raises(Busy, match="try again"):
            own_map.Job("mnist-vae-2d", files)
    finally:
        for job in jobs:
            job.cancel()
    own_map.Job("mnist-vae-2d", files).cancel()


def test_a_strangers_file_as_the_model_sees_it():
    x, files = digits(1)
    info = DATASETS["mnist"]
    seen = own_map.as_the_model_sees(files[0].content, info)
    np.testing.assert_array_equal(seen, x)  # of the data's own size: as it is
    image = pictures.to_image(255 - pictures.to_uint8(x)[0], scale=9)  # large and dark on light
    seen = own_map.as_the_model_sees(pictures.png(image), info)
    assert seen.shape == (1, 1, 28, 28) and seen[0, 0, 0].max() < 0.1 and seen.max() > 0.9
    binary = own_map.as_the_model_sees(files[0].content, DATASETS["mnist-binary"])
    assert set(binary.unique().tolist()) <= {0.0, 1.0}
    with pytest.raises(UploadError, match="not a PNG"):
        own_map.as_the_model_sees(b"x", info)


def test_the_bar_of_umap_is_heard():
    heard = []
    bar = maps._ProgressBar(heard.append)
    for text in ("Epochs completed:   0%|  | 0/500", "\r", "Epochs completed:  42%| ###"):
        bar.write(text)
        bar.flush()
    assert heard == [0.0, 0.42]


def test_an_image_without_a_finite_code_ends_the_fit_in_one_sentence(tmp_path, monkeypatch):
    _, files = digits(6)
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for i, file in enumerate(files):
            archive.writestr(str(i), file.content)
    model = vae.load("mnist-vae-2d")
    encode = model.encode

    def broken(x, y=None):
        q = encode(x, y)
        q.base_dist.loc[2] = torch.nan
        return q

    monkeypatch.setattr(model, "encode", broken)
    monkeypatch.setattr(own_map.store.Store, "load", lambda self, name: model)
    with pytest.raises(UploadError, match="not a finite number for 1 of these 6 images"):
        own_map.fit("mnist-vae-2d", tmp_path / "images.zip", lambda stage, share: None)


def returned(**changes):
    """The arrays of a job on five of seven files; a change to None takes one away."""
    xy = np.zeros((5, 2), np.float32)
    arrays = {
        "rows": np.array([0, 1, 3, 4, 6]), "codes": xy, "sigmas": xy, "recon": xy[:, 0], "umap": xy, "umap_again": xy,
        "pca": xy, "images": np.zeros((5, 1, 28, 28), np.uint8), "classes": np.zeros(5, np.int64),
        "trustworthiness": np.array([0.7, 0.8, 0.9]),
    }  # fmt: skip
    return {name: array for name, array in {**arrays, **changes}.items() if array is not None}


def parse(arrays, model="mnist-vae-2d"):
    return own_map.parse(model, [f"{i}.png" for i in range(7)], ["a", "b"] * 3 + [""], arrays)


def test_what_a_job_returns_is_joined_with_the_names_of_the_files():
    found = parse(returned())
    assert found.names == ("0.png", "1.png", "3.png", "4.png", "6.png") and found.folders == ("a", "b", "b", "a", "")
    assert found.left_out == 2 and found.map_parameters["points"] == 5
    assert found.map_parameters["trustworthiness"] == {"umap": 0.7, "umap_again": 0.8, "pca": 0.9}


@pytest.mark.parametrize(
    "changes",
    [
        {"images": None}, {"codes": None}, {"images": np.zeros((5, 1, 28, 28))},
        {"images": np.zeros((5, 3, 28, 28), np.uint8)}, {"images": np.zeros((4, 1, 28, 28), np.uint8)},
        {"codes": np.zeros((5, 3))}, {"codes": np.zeros(())}, {"codes": np.full((5, 2), np.nan)},
        {"codes": np.full((5, 2), "x")}, {"umap": np.full((5, 2), np.inf)}, {"umap": np.zeros((6, 2))},
        {"rows": np.array([0, 1, 3, 4, 7])}, {"rows": np.array([0, 1, 4, 3, 6])}, {"rows": np.array([-1, 1, 3, 4, 6])},
        {"rows": np.array([0.0, 1, 3, 4, 6])}, {"classes": np.ones(5, np.int64)}, {"classes": np.zeros(5)},
        {"trustworthiness": np.zeros(2)}, {"trustworthiness": np.full(3, np.nan)},
    ],
    ids=range(19),
)  # fmt: skip
def test_what_a_job_returns_may_be_anything(changes):
    with pytest.raises((KeyError, ValueError)):
        parse(returned(**changes))

"""A disk that is full or read-only while the app runs: pages go on, what needs the disk says so in one sentence, and
works as soon as the disk does."""

import os
import subprocess
import sys

import pytest

from vae import project
from vae.store import Store

from .. import own_model
from ..browser.app_server import settle
from ..browser.panel import open_panel, until
from ..browser.test_train import open_train, training
from ..long import some_long
from .servers import Server, moves_a_slider, no_exception, press

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or os.geteuid() != 0, reason="mounts a file system, which needs root"
    ),
]
SIZE = 64  # MB


class Disk:
    """A small file system in memory."""

    def __init__(self, folder):
        self.folder = folder
        mount("-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", folder)

    def fail(self, how):
        if how == "read-only":
            mount("-o", "remount,ro", self.folder)
            return
        with pytest.raises(OSError, match="No space left"), (self.folder / "filling").open("wb", 0) as file:
            for _ in range(2 * SIZE):
                file.write(bytes(2**20))

    def heal(self, how):
        if how == "read-only":
            mount("-o", "remount,rw", self.folder)
        else:
            (self.folder / "filling").unlink()


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


@pytest.fixture
def disk(tmp_path):
    (tmp_path / "disk").mkdir()
    disk = Disk(tmp_path / "disk")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk.folder)], check=True)


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    """A project file, as a visitor has exported it."""
    folder = tmp_path_factory.mktemp("own")
    own_model.make(folder)
    (folder / "mine.vae.zip").write_bytes(project.write(Store([folder]), "mine"))
    return folder / "mine.vae.zip"


@pytest.mark.parametrize("how", some_long(["full", "read-only"], ["full"]))
def test_a_disk_that_takes_nothing(how, disk, browser, model_file):
    with Server(TMPDIR=str(disk.folder), VAE_HOME=str(disk.folder / "home"), VAE_SHARED="1") as server:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        page = context.new_page()
        open_panel(page, f"http://{server.address}", model="mnist-vae-2d", z="0.5,-1")
        opens_a_model(page, model_file)
        page.wait_for_function("() => location.search.includes('model=mine')")  # and has a folder on this disk
        disk.fail(how)
        moves_a_slider(page)

        opens_a_model(page, model_file)
        page.get_by_text("This file cannot be opened").wait_for()
        moves_a_slider(page)

        open_train(page, f"http://{server.address}")
        settle(page)
        press(page, "Start training")
        page.get_by_text("could not be started").wait_for()
        no_exception(page)

        disk.heal(how)
        press(page, "Start training")
        until(page, lambda: training(page)["phase"] == "running" and len(training(page)["steps"]) > 1, 150)
        open_panel(page, f"http://{server.address}", model="mnist-vae-2d", z="0.5,-1")
        opens_a_model(page, model_file)
        page.wait_for_function("() => location.search.includes('model=mine')")
        no_exception(page)
        context.close()


def opens_a_model(page, file):
    """Choose a model file, where the picker offers it."""
    if not page.get_by_text("Open a model file").is_visible():
        press(page, "About")
    page.locator("[data-testid=stFileUploader]", has_text="Open a model file").locator("input").set_input_files(file)
    settle(page)

"""Two replicas behind nginx, as .deploy/ has them: a visitor stays with one, and goes on with the other when his is
killed, from his link."""

import io
import os
import subprocess
import time
import zipfile
from shutil import which

import numpy as np
import pytest
from PIL import Image

from ..browser.app_server import ROOT, free_port, settle
from ..browser.panel import open_page, open_panel, until
from ..browser.test_own_pictures import SEVEN, at, draw, open_pad
from ..browser.test_train import open_train, training
from .servers import Server, moves_a_slider, no_exception, press, wait_for

pytestmark = pytest.mark.slow
BACK_AFTER = 60  # seconds to wait for a visitor to be served again; the machine may be busy


@pytest.fixture(scope="module")
def two_replicas(tmp_path_factory):
    """{"a": Server, "b": Server, "address": of nginx in front of them}."""
    replicas, listen = {"a": Server(VAE_SHARED="1"), "b": Server(VAE_SHARED="1")}, f"127.0.0.1:{free_port()}"
    text = (ROOT / ".deploy" / "nginx.conf.template").read_text(encoding="utf-8")
    known = {"REPLICA_A": replicas["a"].address, "REPLICA_B": replicas["b"].address, "LISTEN": listen}
    for name, value in known.items():
        text = text.replace(f"${{{name}}}", value)
    folder = tmp_path_factory.mktemp("nginx")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""  # as whom pytest made the folder, in which uploads wait
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}"
        f"http {{ access_log off; {folders} {text} }}", encoding="utf-8",
    )  # fmt: skip
    nginx = None
    try:
        for replica in replicas.values():
            replica.start()
        nginx = subprocess.Popen([which("nginx") or "/usr/sbin/nginx", "-c", str(folder / "nginx.conf")])
        wait_for(f"http://{listen}/_stcore/health")
        yield {**replicas, "address": f"http://{listen}"}
    finally:
        if nginx:
            nginx.terminate()
            nginx.wait(10)
        for replica in replicas.values():
            replica.kill()


@pytest.fixture
def context(two_replicas, browser):
    for name in "ab":  # the last test may have killed one
        if not two_replicas[name].runs:
            two_replicas[name].start()
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield context
    context.close()


def serving(context):
    """The replica that a visitor's cookie names."""
    return next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "replica")


def kill_mine(two_replicas, context):
    """Kill the replica that serves this visitor. Returns its name."""
    name = serving(context)
    two_replicas[name].kill()
    return name


def back(context, page, name):
    """Wait until the visitor is with the other replica."""
    other = {"a": "b", "b": "a"}[name]
    until = time.monotonic() + BACK_AFTER
    while serving(context) != other and time.monotonic() < until:
        page.wait_for_timeout(100)
    assert serving(context) == other
    settle(page)


def test_visitors_stay_with_their_replica_and_there_are_some_at_both(two_replicas, browser):
    found = set()
    for _ in range(20):  # the chance that all have the same one is one in 500,000
        context = browser.new_context()
        page = context.new_page()
        assert page.goto(f"{two_replicas['address']}/_stcore/metrics").status == 404
        served = []
        for _ in range(3):
            page.goto(f"{two_replicas['address']}/favicon.png")
            served.append(serving(context))
        assert len(set(served)) == 1
        found |= set(served)
        context.close()
        if len(found) == 2:
            break
    assert found == {"a", "b"}


def test_a_replica_killed_during_a_drag(two_replicas, context):
    page = context.new_page()
    open_panel(page, two_replicas["address"], model="mnist-vae-2d", z="0.5,-1")
    slider = page.locator(".st-key-live_panel input[type=range]").first
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
    name = kill_mine(two_replicas, context)
    page.mouse.move(box["x"] + box["width"] * 0.8, middle, steps=5)
    page.mouse.up()
    back(context, page, name)
    moves_a_slider(page)


def test_a_replica_killed_while_a_picture_is_chosen(two_replicas, context):
    page = context.new_page()
    open_page(page, two_replicas["address"], "interpolate", model="mnist-vae-2d")
    name = kill_mine(two_replicas, context)
    draw_only(page)
    back(context, page, name)
    no_exception(page)
    draw(page, "interpolate_A", SEVEN)  # is taken by the other replica


def test_a_replica_killed_during_a_lesson(two_replicas, context):
    page = context.new_page()
    open_page(page, two_replicas["address"], "sliders", lesson="codes.1")
    answer = page.locator(".st-key-lesson [role=radiogroup] label").nth(1)
    answer.click()
    page.wait_for_function("() => location.search.includes('answer=')")
    settle(page)
    name = kill_mine(two_replicas, context)
    back(context, page, name)
    assert page.locator(".st-key-lesson [role=radiogroup] input").nth(1).is_checked()
    page.locator(".st-key-lesson_reveal button").click()
    settle(page)
    no_exception(page)


def draw_only(page):
    """Draw a stroke, and do not wait for the server to take it."""
    box = open_pad(page, "interpolate_A")
    page.mouse.move(*at(box, SEVEN[0]))
    page.mouse.down()
    page.mouse.move(*at(box, SEVEN[1]), steps=6)
    page.mouse.up()


def test_a_replica_killed_during_a_training(two_replicas, context):
    """The training is lost with its process. The page offers the next one, which runs."""
    page = context.new_page()
    open_train(page, two_replicas["address"], "train_images=1000")
    settle(page)
    press(page, "Start training")
    until(page, lambda: training(page)["phase"] == "running" and len(training(page)["steps"]) > 1, 150)
    name = kill_mine(two_replicas, context)
    back(context, page, name)
    no_exception(page)
    assert "train_images=1000" in page.url
    press(page, "Start training")
    until(page, lambda: training(page)["phase"] == "running" and len(training(page)["steps"]) > 1, 150)
    press(page, "Stop")
    page.get_by_text("Explore your model").wait_for(timeout=240_000)


def test_a_replica_killed_during_an_upload(two_replicas, context, tmp_path):
    """The upload says that it has failed, and can be repeated with the other replica."""
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for i in range(30):
            archive.writestr(f"{i}.png", picture(i))
    page = context.new_page()
    open_page(page, two_replicas["address"], "map", model="mnist-vae-2d")
    page.get_by_role("button", name="Your images").click()
    uploader = page.locator("[data-testid=stFileUploader] input")
    name = serving(context)

    def kill_first(route):
        if two_replicas[name].runs:
            two_replicas[name].kill()
        route.continue_()

    page.route("**/upload_file/**", kill_first)
    uploader.set_input_files(tmp_path / "images.zip")
    until(page, lambda: not two_replicas[name].runs)
    page.unroute("**/upload_file/**")
    back(context, page, name)
    no_exception(page)
    if not page.get_by_text("or a zip file of them").is_visible():
        page.get_by_role("button", name="Your images").click()
    (tmp_path / "images.zip").rename(tmp_path / "again.zip")  # an input ignores the file that it has
    uploader.set_input_files(tmp_path / "again.zip")
    page.get_by_text("30 images").wait_for(timeout=60_000)
    no_exception(page)


def picture(number):
    """A PNG of random grey levels, which compression leaves as large as it is."""
    content = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (400, 400), np.uint8)
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()

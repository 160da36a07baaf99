"""The installed package: the editable one finds the models of its clone; a wheel carries the pages."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def run(*command, **environment):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, encoding="utf-8", env=os.environ | environment,
        cwd=environment.get("PWD"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The folder of an unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("latent_space_explorer-*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_an_editable_install_works_from_any_folder(tmp_path):
    venv.create(tmp_path / "env", with_pip=True)
    binaries = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    installed = run(binaries / "python", "-m", "pip", "install", "--no-deps", "-e", ROOT)
    assert installed.returncode == 0, installed.stderr
    # the requirements are those of this environment
    place = {"PYTHONPATH": sysconfig.get_path("purelib"), "PWD": str(tmp_path)}
    loaded = run(binaries / "python", "-c", "import vae; print(vae.load('mnist-vae-2d').card.title)", **place)
    assert loaded.stdout.strip() == "Digits, VAE, 2-D", loaded.stderr
    listed = run(binaries / "vae", "list", **place)
    assert listed.stdout.startswith("mnist-vae-2d") or "\nmnist-vae-2d" in listed.stdout, listed.stderr


def test_a_wheel_without_models_says_how_to_get_them(wheel, tmp_path):
    listed = run(sys.executable, "-m", "vae", "list", PYTHONPATH=str(wheel), PWD=str(tmp_path))
    assert listed.stdout.splitlines()[0].startswith(f"There are no models in {wheel / 'pretrained'}."), listed.stderr
    app = run(sys.executable, "-c", SLIDERS, PYTHONPATH=str(wheel), PWD=str(wheel / "vae" / "_app"))
    assert app.stdout.startswith("There are no models in "), app.stderr


def test_a_wheel_carries_the_lessons(wheel):
    shipped, installed = ({path.name: path.read_bytes() for path in (root / "vae" / "lessons").glob("*.toml")}
        for root in (ROOT, wheel))  # fmt: skip
    assert installed == shipped and len(shipped) >= 7


def test_a_wheel_with_models_shows_its_pages(wheel, tmp_path):
    (wheel / "pretrained").symlink_to(ROOT / "pretrained")
    try:
        app = run(sys.executable, "-c", SLIDERS, PYTHONPATH=str(wheel), PWD=str(wheel / "vae" / "_app"))
    finally:
        (wheel / "pretrained").unlink()
    assert app.stdout.split() == ["Sliders", str(wheel / "vae" / "__init__.py")], app.stderr


SLIDERS = """
from streamlit.testing.v1 import AppTest
import vae
app = AppTest.from_file("app.py", default_timeout=60).run()
print(app.error[0].value if app.error else app.switch_page("pages/sliders.py").run().title[0].value, vae.__file__)
"""

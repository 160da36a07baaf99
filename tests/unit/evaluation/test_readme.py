import re
from pathlib import Path

import pytest

import vae

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / name for name in
    ("README.md", ".github/CONTRIBUTING.md", "pretrained/README.md", "tests/benchmarks/README.md")
]  # fmt: skip
ON_GITHUB = {"../../deployments/github-pages"}  # the site that the workflow Pages publishes


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_shows_links_to_and_names_exists(page):
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
        assert (page.parent / path).stat().st_size > 1_000, path
    for path in re.findall(r"\]\((?!https?:|#)([^)]+)\)", text):
        assert path in ON_GITHUB or (page.parent / path).exists(), path
    for path in re.findall(r"`((?:vae|pages|tests|pretrained)/[\w./-]*)`", text):
        assert (ROOT / path).exists(), path


def test_the_only_screenshots_are_the_readmes():
    shots = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests/browser/screenshots").iterdir()}
    assert shots == set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", README))


def test_the_number_of_models_is_right():
    assert re.search(r"lists (\d+) models", README)[1] == str(len(vae.available()))


def test_the_two_commands_stand_on_lines_of_their_own():
    lines = README.splitlines()
    assert "pip install -r requirements.txt && streamlit run app.py" in lines
    assert "pip install -r requirements.txt -r tests/requirements.txt && pytest" in lines


def test_every_environment_variable_is_in_the_table():
    files = [ROOT / "app.py", *ROOT.glob("vae/**/*.py"), *ROOT.glob("pages/**/*.py")]
    read = set(re.findall(r"\bVAE_[A-Z_]+", " ".join(path.read_text(encoding="utf-8") for path in files)))
    listed = set(re.findall(r"`(VAE_[A-Z_]+)`", README.partition("| variable |")[2].partition("\n\n")[0]))
    assert read == listed

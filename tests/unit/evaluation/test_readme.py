import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_what_the_readme_shows_and_names_exists():
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).stat().st_size > 5_000, path
    for path in re.findall(r"`((?:vae|pages|tests|pretrained)/[\w./-]*)`", README):
        assert (ROOT / path).exists(), path


def test_the_two_commands_stand_on_lines_of_their_own():
    lines = README.splitlines()
    assert "pip install -r requirements.txt && streamlit run app.py" in lines
    assert "pip install -r requirements.txt -r tests/requirements.txt && pytest" in lines

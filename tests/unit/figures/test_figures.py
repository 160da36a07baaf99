"""Figures for a paper: sizes, fonts and pictures of the files, and what is refused."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

import vae
from vae import __main__ as cli
from vae import extras, figures
from vae.figures.base import MAX_ENLARGED
from vae.store import Store

SVG = "{http://www.w3.org/2000/svg}"
EACH = {
    "traversal": ("mnist-vae-2d", figures.Options(steps=4)),
    "interpolation": ("mnist-cvae", figures.Options(steps=3)),
    "map": ("mnist-vae-2d", figures.Options(layout="codes")),
    "factors": ("sprites-ada", figures.Options(width="page")),
}


@pytest.fixture(scope="module")
def drawn():
    return {kind: figures.draw(kind, name, options) for kind, (name, options) in EACH.items()}


def svg(figure):
    return ElementTree.fromstring(figure.file("svg"))


def texts(root):
    return ["".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")]


def pictures(root):
    """The embedded pictures of a figure (H, W, 3)."""
    links = [image.get("{http://www.w3.org/1999/xlink}href") for image in root.iter(f"{SVG}image")]
    files = [io.BytesIO(base64.b64decode(link.partition(",")[2])) for link in links]
    return [np.asarray(Image.open(file).convert("RGB")) for file in files]


def test_every_kind_is_tested():
    assert set(EACH) == set(figures.KINDS)


@pytest.mark.parametrize("kind", EACH)
def test_a_pdf_has_the_width_of_its_column_and_truetype_fonts(drawn, kind):
    content = drawn[kind].file("pdf")
    width, _ = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", content).groups()
    assert float(width) == pytest.approx(72 * figures.WIDTHS[EACH[kind][1].width])
    assert b"/FontFile2" in content and b"/Type3" not in content
    assert b"STIX" in content and b"DejaVu" not in content
    assert content == drawn[kind].file("pdf"), "the same figure gives the same file"
    assert len(content) < 2e6


@pytest.mark.parametrize("kind", EACH)
def test_an_svg_keeps_its_text(drawn, kind):
    root = svg(drawn[kind])
    width = 72 * figures.WIDTHS[EACH[kind][1].width]
    assert root.get("width") == f"{width:g}pt"
    assert texts(root)
    sizes = {float(size) for size in re.findall(r"font(?:-size)?: ([\d.]+)px", ElementTree.tostring(root, "unicode"))}
    assert sizes and 7 <= max(sizes) <= 8 and min(sizes) >= 4.9, sizes


def test_a_traversal_shows_what_the_model_decodes(drawn):
    root, model = svg(drawn["traversal"]), vae.load("mnist-vae-2d")
    found = pictures(root)
    assert len(found) == 2 * 4, "two dimensions, four steps"
    split = vae.data.DATASETS["mnist"].load("test")
    row = vae.data.DATASETS["mnist"].start
    with torch.no_grad():
        z = model.encode(split.batch([row])[0]).mean
    assert f"test image {row}" in drawn["traversal"].caption
    # the first picture of a row: the 1st percentile of the dimension with the highest KL, the other as encoded
    d = int(np.argmax(model.card.figures["kl_per_dim"]))
    low = np.percentile(Store().read_map("mnist-vae-2d").posterior_samples()[:, d], 1)
    z[0, d] = float(low)
    with torch.no_grad():
        expected = np.rint(model.decode(z)[0, 0].numpy() * 255)
    shown = found[0][::MAX_ENLARGED, ::MAX_ENLARGED, 0]
    np.testing.assert_allclose(shown, expected, atol=1)
    assert {"1st percentile", "99th percentile"} <= set(texts(root))


def test_an_interpolation_ends_at_the_images(drawn):
    found = pictures(svg(drawn["interpolation"]))
    assert len(found) == 2 * (3 + 2)
    top, bottom = found[:5], found[5:]
    # the cross-fade begins with image A and ends with image B
    for end, fade in ((top[0], bottom[1]), (top[4], bottom[3])):
        np.testing.assert_array_equal(end, fade)
    assert {"A", "B", "0", "0.5", "1", "latent", "pixels"} <= set(texts(svg(drawn["interpolation"])))


def test_a_matrix_shows_the_cards_figures(drawn):
    card = Store().read_card("sprites-ada")
    entropy = np.array(card.figures["factor_entropy"])
    varying = entropy > 0
    shares = np.array(card.figures["mutual_information"]).T[varying] / entropy[varying, None]
    found = [text for text in texts(svg(drawn["factors"])) if re.fullmatch(r"\.\d\d|1\.00", text)]
    assert sorted(found) == sorted(f"{share:.2f}".lstrip("0") for share in shares.ravel())
    assert f"MIG {card.figures['mig']:.3f}, random codes" in drawn["factors"].caption
    assert card.protocol["mig"] in drawn["factors"].caption


def test_a_map_has_a_legend_and_its_protocol(drawn):
    assert set("0123456789") <= set(texts(svg(drawn["map"])))
    umap = figures.draw("map", "mnist-vae-2d")
    assert "UMAP of the codes (posterior means) of 5,000 test images" in umap.caption
    assert {"UMAP 1", "UMAP 2"} <= set(texts(svg(umap)))


REFUSED = [
    ("traversal", "mnist-vqvae", {}, "discrete code"), ("factors", "mnist-vae-2d", {}, "no mutual information"),
    ("traversal", "mnist-vae-2d", {"dims": (2,)}, "dimensions 0 to 1, not 2"),
    ("traversal", "mnist-vae-2d", {"rows": (10**6,)}, "test images 0 to 9999"),
    ("interpolation", "mnist-vae-2d", {"rows": (1,)}, "2 test images, not 1"),
    ("map", "mnist-vae-2d", {"layout": "tsne"}, "layout of a map is one of"),
    ("map", "mnist-vae-2d", {"layout": "codes", "dims": (0, 5)}, "two of the dimensions 0 to 1"),
    ("film", "mnist-vae-2d", {}, "no figure 'film'"),
]


@pytest.mark.parametrize("kind, name, options, sentence", REFUSED)
def test_what_a_figure_cannot_show_is_refused(kind, name, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        figures.draw(kind, name, figures.Options(**options))


def test_options_are_checked(drawn):
    with pytest.raises(ValueError, match="2 to 50 pictures"):
        figures.Options(steps=1)
    with pytest.raises(ValueError, match="column, page"):
        figures.Options(width="poster")
    with pytest.raises(ValueError, match=".pdf or .svg, not .png"):
        drawn["map"].file("png")


def test_without_matplotlib_the_command_names_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(extras, "missing", lambda *packages: list(packages))
    assert cli.main(["figure", "map", "mnist-vae-2d", "-o", str(tmp_path / "map.pdf")]) == 1
    assert capsys.readouterr().err == "error: figures for a paper need more packages: run `pip install matplotlib`\n"
    assert not list(tmp_path.iterdir())


def test_the_command_writes_a_file_and_prints_its_caption(tmp_path, capsys):
    path = tmp_path / "fig.svg"
    assert cli.main(["figure", "traversal", "mnist-vae-2d", "-o", str(path), "--steps", "2", "--dims", "1"]) == 0
    assert "Traversals of mnist-vae-2d" in capsys.readouterr().out
    assert len(pictures(ElementTree.fromstring(path.read_bytes()))) == 2

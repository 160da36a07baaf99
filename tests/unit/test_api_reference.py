"""The API reference: an entry for every public name, well formed whatever a docstring holds, and no network."""

import importlib
import inspect
from html.parser import HTMLParser

import pytest

import vae
from vae import api_reference
from vae.browser import handout

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Checker(HTMLParser):
    """Collects ids, links and attributes, and fails where tags are not nested."""

    def __init__(self, content):
        super().__init__()
        self.open, self.ids, self.links, self.tags, self.policy = [], [], [], set(), ""
        self.feed(content)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.tags.add(tag)
        assert not [name for name in named if name.startswith("on")]
        if "id" in named:
            self.ids.append(named["id"])
        if "href" in named:
            self.links.append(named["href"])
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page():
    return Checker(api_reference.page(handout.FILE_SECURITY))


def public():
    """Every name that __all__ of a documented module names, modules among them."""
    for name in api_reference.MODULES:
        module = importlib.import_module(name)
        for public_name in api_reference.public_names(module):
            yield f"{name}.{public_name}"


def test_every_public_name_has_an_entry(page):
    assert len(page.ids) == len(set(page.ids))
    assert set(public()) <= set(page.ids)
    for name in vae.__all__:
        full = f"vae.{name}"
        assert full in page.ids, f"{full} is public: document it in api_reference.MODULES"


def test_every_public_function_and_class_is_documented():
    missing = [
        entry.name for module in api_reference.modules() for entry in api_reference.entries(module)
        if entry.kind in ("function", "class") and not entry.docstring
    ]  # fmt: skip
    assert not missing


def test_links_lead_to_entries_and_nothing_is_loaded(page):
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert [link for link in page.links if not link.startswith("#")] == ["index.html"]
    assert not page.tags & {"script", "img", "link", "iframe", "object"}
    assert page.policy == handout.FILE_SECURITY


def test_no_docstring_breaks_the_page(monkeypatch):
    def hostile(x="<i>"):
        """Return </code> `a < b` and an odd `tick & <script>alert(1)</script>.

            x <indented> "block"

        a   table</table>
        """

    hostile.__annotations__ = {"x": "<b>", "return": "</pre>"}
    monkeypatch.setattr(vae.metrics, "mig", hostile)
    content = api_reference.page(handout.FILE_SECURITY)
    assert "script" not in Checker(content).tags
    assert "<pre tabindex=\"0\"><code>x &lt;indented&gt; &quot;block&quot;</code></pre>" in content
    assert "<code>a &lt; b</code>" in content


def test_fields_methods_and_signatures_are_shown():
    found = {entry.name: entry for module in api_reference.modules() for entry in api_reference.entries(module)}
    report = found["vae.metrics.Report"]
    assert ("rows", "int", "") in report.fields
    assert "latex" in [member.name for member in report.members] and not report.signature
    assert found["vae.metrics.mig"].signature.startswith("(codes: np.ndarray, factors: np.ndarray, bins: int = 20")
    assert ", *, discrete: bool | None = None" in found["vae.metrics.report"].signature
    store = {member.name for member in found["vae.Store"].members}
    assert {"load", "available", "save"} <= store and not [name for name in store if name.startswith("_")]
    assert "<br><code>seeds</code>: of votes" in api_reference.page("")
    assert inspect.getdoc(vae.load).splitlines()[0] in api_reference.page("").replace("<br>", "")


def test_a_site_has_the_reference_beside_its_models(tmp_path):
    paths = handout.site(["mnist-vae-2d"], tmp_path)
    assert tmp_path / "api.html" in paths
    assert (tmp_path / "api.html").read_text(encoding="utf-8") == api_reference.page(handout.FILE_SECURITY)

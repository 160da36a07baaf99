"""The glossary: its page, and the terms that texts mark."""

import re
from types import SimpleNamespace

import pytest

from pages.components.shell import glossary
from vae.glossary import TERMS

from .test_pages import start

NEEDED = {
    "nat": "nats", "kl": "KL", "elbo": "ELBO", "prior": "prior", "posterior": "posterior", "likelihood": "likelihood",
    "active-dimension": "active dimensions", "mig": "MIG", "dci": "DCI", "auroc": "AUROC", "support": "support",
    "temperature": "temperature", "ada-gvae": "Ada-GVAE", "beta-tcvae": "beta-TCVAE", "vampprior": "VampPrior",
    "importance-sampling": "Importance sampling", "early-stopping": "early stopping", "overfitting": "overfitted",
    "reparametrisation": "reparametrisation trick",
}  # fmt: skip
MARK = re.compile(r'\[([^\]]+)\]\(glossary#([a-z-]+) "([^"]+)"\)')


@pytest.fixture
def page_run(monkeypatch):
    """A page's run without Streamlit."""

    class Session(dict):
        __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__

    monkeypatch.setattr(glossary, "st", SimpleNamespace(session_state=Session()))
    glossary.begin_run()


def marks(text):
    return [(match[1], match[2]) for match in MARK.finditer(glossary.explain(text))]


@pytest.mark.parametrize(("key", "mention"), NEEDED.items())
def test_every_needed_term_is_marked(key, mention, page_run):
    assert marks(f"Here is the {mention} of it.") == [(mention, key)]


@pytest.mark.parametrize("key", TERMS)
def test_a_definition_fits_its_mark_and_its_tooltip(key):
    term = TERMS[key]
    assert not set(term.definition) & set('"|<>[]\\') - {"|"} and term.definition.endswith(".") and term.source
    assert all(len(sentence.split()) <= 25 for sentence in re.split(r"(?<=[.:;?]) ", term.definition)), term.definition
    assert re.fullmatch("[a-z-]+", key)


def test_only_the_first_mention_in_a_run_is_marked(page_run):
    assert marks("The KL is in nats. A KL of 3 nats.") == [("KL", "kl"), ("nats", "nat")]
    assert marks("Another KL, and a prior.") == [("prior", "prior")]
    # a fragment writes its text again
    assert marks("The KL is in nats. A KL of 3 nats.") == [("KL", "kl"), ("nats", "nat")]
    glossary.begin_run()
    assert marks("Another KL, and a prior.") == [("KL", "kl"), ("prior", "prior")]


@pytest.mark.parametrize(
    "text",
    ["`KL`", "$KL$", "[the KL](map)", "## KL", "| KL | 3 |", "the KLs", "a natural prioress", "Pages support this.",
     "no mention at all", "![KL](x.png)", "mnist/prior-vae"],
)  # fmt: skip
def test_what_is_no_mention_stays(text, page_run):
    assert glossary.explain(text) == text


def test_the_longest_term_is_marked(page_run):
    assert marks("Posterior collapse: the posterior equals the prior.") == [
        ("Posterior collapse", "collapse"), ("posterior", "posterior"), ("prior", "prior"),
    ]  # fmt: skip


def test_the_rest_of_a_text_stays_as_it_is(page_run):
    text = "**KL(q(z|x) || p(z))** of `z`, in *nats*: [more](map)\n\n| a | b |\n|---|---|\n| KL | 1 |\n"
    assert MARK.sub(r"\1", glossary.explain(text)) == text and glossary.explain(text) != text


def test_the_page_lists_every_term_with_its_source():
    app = start("glossary")
    assert [s.value for s in app.subheader] == [term.name for term in TERMS.values()]
    assert [s.anchor for s in app.subheader] == list(TERMS)
    assert {term.definition for term in TERMS.values()} <= {m.value for m in app.markdown}
    assert [c.value for c in app.caption] == [f"Source: {term.source}." for term in TERMS.values()]

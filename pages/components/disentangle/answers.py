"""Three answers for each factor: whether reconstructions keep it, codes hold it, and one dimension captures it."""

from __future__ import annotations

import streamlit as st

from vae import ModelCard
from vae.evaluation import report

from ..shell import cached, state
from ..shell.glossary import explain

PROTOCOLS = {"factors_kept": "Kept", "factors_held": "Held", "owners": "One dimension", "infom": "InfoMEC",
             "mig_error": "± of MIG"}  # fmt: skip


def show(card: ModelCard) -> None:
    """Show a table of the answers, the scores and how they were measured; nothing where none is measured."""
    factors = cached.info(card.data).factors
    answers = report.factor_answers(card, factors)
    if not answers:
        return
    st.header("What this model does with each factor")
    texts = [answer.texts for answer in answers]
    st.dataframe(
        {
            "factor": [answer.name for answer in answers],
            "kept": [kept for kept, _ in texts],
            "held": [held for _, held in texts],
            "one dimension": [_owner(answer) for answer in answers],
        },
        hide_index=True, height="content", key="disentangle_answers", placeholder="–",
    )  # fmt: skip
    scores = report.disentanglement_scores(card)
    if scores:
        st.markdown(explain(f"**Scores.** {scores}."))
    measured = [f"{name}: {card.protocol[key]}." for key, name in PROTOCOLS.items() if key in card.protocol]
    st.caption(
        "Kept: how well a classifier reads the factor on reconstructions, out of its score on the originals. Held: "
        f"how well boosted trees predict the factor from all dimensions of z. {report.symmetries(factors)}\n\n"
        f"**How it was measured.** {' '.join(measured)}"
    )


def _owner(answer: report.Answer) -> str:
    if not answer.owner_known:
        return "–"
    return "no" if answer.owner is None else f"yes, {state.dim_name(answer.owner)}"

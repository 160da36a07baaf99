"""Inside: the forward pass of one image through a VAE, with all intermediate values."""

import streamlit as st

from pages.components.bridge import first_picture
from pages.components.inside.panel import inside_panel, is_supported, missing_network
from pages.components.shell import cached, link, settings, state
from pages.components.shell.glossary import explain
from pages.components.shell.model_picker import model_picker
from pages.components.widgets.image_input import image_input
from vae import ModelCard
from vae.browser import props

PLACE = 70  # order in the navigation
GROUP = "Understand"
SOURCES = {"Draw": "Draw", "Choose or upload": "Test image or photo"}  # {value in links: label}
SETTINGS = {"inside_source": ("choice", *SOURCES), "inside_image": ("int", 0, 9999)}
PARTS = {
    "steps": "inside_panel .steps", "input": "inside_panel canvas.x", "posterior": "inside_panel section[data-part=q]",
    "reconstruction": "inside_panel section[data-part=x_hat]", "error": "inside_panel section[data-part=recon]",
    "fan": "inside_panel section[data-part=eps]", "terms": "inside_panel .terms", "kl": "inside_panel .dims",
    "ledger": "inside_panel .terms table", "betas": "inside_betas", "rate": "inside_rate",
}  # fmt: skip


def serves(card: ModelCard) -> bool:
    model = cached.traits(card.name)
    return is_supported(model) and not missing_network(model)


st.title("Inside")
head = st.container(horizontal=True, vertical_alignment="center")
head.markdown("**Draw**, and follow your image through the model.", width="content")
model_picker(serves, needs="a diagonal Gaussian posterior, and networks that run in the browser")
model = state.traits()
can_draw = state.info().preparation.light_on_dark  # like a line on the panel
settings.take("inside_source", f"inside_source_{can_draw}", labels=SOURCES)
source = head.segmented_control(
    "Image", SOURCES, format_func=SOURCES.__getitem__, default=list(SOURCES)[not can_draw], required=True,
    key=f"inside_source_{can_draw}", label_visibility="collapsed"
)  # fmt: skip
picked = None
# Keep this container on every run: an element that appears or vanishes above the panel makes Streamlit remount it.
with st.container():
    if source != "Draw":
        picked = image_input("inside_image", draws=False)  # "Draw" has a pad beside the results
if picked is None:
    link.leave_out("your drawing")
inside_panel(picked)
data = state.info()
st.caption(
    explain(f"Your browser computes all values with the weights of {state.card().title}. Your drawing stays on your "
    "device: no link contains it. Other pages keep their own z until you choose *Use this z*. The column on the right "
    f"is the mean of {state.card().figures.get('test_images', 0):,} test images of {data.title}. "
    + ("Dashed rings show p(z) at one and two standard deviations. " if model.latent_dim == 2
        else "The grey band shows one standard deviation of p(z). ")
    + f"In the error image, white is {props.WHITE:g} nats per pixel or more"
    + ("." if model.is_cross_entropy else ", counted from the pixel with the smallest error."))
)  # fmt: skip

first_picture.wait()
# The rest reads the models' configurations with torch, which a server's first visit loads while the browser shows the
# picture.
from pages.components.inside.betas import models_by_beta, show_betas
from pages.components.widgets import charts

models = models_by_beta(state.card())
if len(models) > 2:
    st.header("Beta and posterior collapse")
    st.caption(explain("The same image, reconstructed at the posterior mean by models that differ only in beta."))
    show_betas(models, key="inside_betas")
    with_rate = [c for c in models if "kl" in c.figures]
    no_kl_recon = [c.figures["recon"] for c in models if "kl" not in c.figures]
    st.plotly_chart(
        charts.rate_distortion(
            [c.figures["kl"] for c in with_rate], [c.figures["recon"] for c in with_rate],
            [f"beta {cached.beta(c):g}: {c.figures['active_units']} active" for c in with_rate],
            no_kl_recon[0] if no_kl_recon else None,
        ),
        key="inside_rate", config=charts.CONFIG, alt="distortion against rate for models of different beta",
    )  # fmt: skip
    steps = ", ".join(f"beta {cached.beta(c):g}: {c.recipe['steps']:,}" for c in models)
    dashed = " The dashed line is the autoencoder, which has no KL and so no rate." if no_kl_recon else ""
    st.caption(
        explain(
            f"Each point is a trained model of {data.title}, measured on test images. All have the same networks. The "
            "rate is the KL, and the distortion is the reconstruction error. A dimension is active if its posterior "
            "mean has a variance above 0.01 over the data, so one image cannot show a collapse. Training steps: "
            f"{steps}.{dashed}"
        )
    )
    st.page_link("pages/compare.py", label="Compare these models side by side")

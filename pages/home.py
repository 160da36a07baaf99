"""Home: what the app does, and a preview of every model."""

import streamlit as st

from pages.components.bridge import first_picture
from pages.components.home.autoencoder import autoencoder, can_draw, model_to_show
from pages.components.shell import cached, state
from pages.components.shell.navigation import ensure_entry_point, open_page

PLACE = 0  # order in the navigation
GROUP = ""

FIRST_STEPS = {  # page: (label, icon)
    "lessons": ("New to this? Take a lesson", "school"),
    "inside": ("Draw a digit and see it go through", "draw"),
    "map": ("Walk on a map", "map"),
    "uses": ("What is it good for?", "build"),
    "match": ("Play", "sports_esports"),
}

ensure_entry_point()
st.title("See what a variational autoencoder has learned")
shown = model_to_show()
if shown is not None:
    begin = "Draw on the image" if can_draw(shown) else "Pick an image"
    st.markdown(
        f"**{begin}, or drag the circle.** The encoder turns an image into a distribution over "
        f"{shown.latent_dim} numbers. The decoder turns any such **latent code** into an image. "
        f"Model: *{shown.title}*."
    )
    autoencoder(shown)
first_picture.wait()
with st.container(horizontal=True):
    for page, (label, icon) in FIRST_STEPS.items():
        st.page_link(f"pages/{page}.py", label=f"**{label}**", icon=f":material/{icon}:")

cards, problems = cached.zoo_scan()


def explore(name: str) -> None:
    state.set_model(name)
    open_page("sliders")


ACROSS = 4
for data in dict.fromkeys(card.data for card in cards.values()):
    info = cached.info(data)
    st.subheader(info.title)
    for index, card in enumerate(card for card in cards.values() if card.data == data):
        if index % ACROSS == 0:
            columns = st.container(key=f"home_{data}_{index}").columns(ACROSS)
        with columns[index % ACROSS].container(border=True):
            drawn = "the latent plane" if card.latent_dim == 2 else "draws from the prior"
            st.image(
                cached.cover(card.name),
                width="stretch",
                alt=f"{card.title}: {drawn}",
            )
            st.markdown(f"**{card.title}**  \n{card.description}")
            st.button(
                "Explore",
                key=f"explore_{card.name}",
                type="primary" if card.name == st.session_state.model else "secondary",
                on_click=explore,
                args=(card.name,),
                width="stretch",
            )
            st.caption(cached.summary(card.name))
for name, reason in problems.items():
    st.info(f"**{name}** is unavailable: {reason}.")

st.markdown(
    "**Lessons** lead over the pages, question by question · "
    "**Sample** draws from the prior · **Sliders** moves one number at a time · "
    "**Interpolate** walks from one image to another, also your own · "
    "**Map** is walked with the hand: every place on it is an image, seen or imagined · "
    "**Disentangle** holds the code against the truth it was drawn from · "
    "**Inside** follows one image through · **Uses** shows what VAEs are good for, and where they fail · **Compare** "
    "sets models side by side · **Match** is a game against hidden machines."
)
st.caption(
    "One point travels along: what you pick on one page is what the others show. "
    "The address bar holds model, point and seed, so a link shows the same picture to others."
)

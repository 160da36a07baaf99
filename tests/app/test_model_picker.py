"""Pages that cannot use every model open on a stand-in, and the visitor's own model returns when he leaves."""

from streamlit.testing.v1 import AppTest

from pages.components.shell import cached, model_picker, state

OPTIONS = {"instead": "rooms-ada", "needs": "known factors"}


def page_app(serves=None, instead="", needs=""):
    """A page with a model picker that can use the models of one data set (serves), run through begin_run."""
    import streamlit as st

    from pages.components.shell import link
    from pages.components.shell.model_picker import model_picker

    page, data = st.session_state.get("test_page", "any"), st.session_state.get("test_data")
    link.begin_run(page)
    if page != "no picker":
        model_picker(data and (lambda card: card.data == data), instead, needs)


def go(app, page, data=None):
    app.session_state["test_page"], app.session_state["test_data"] = page, data
    app.run()
    assert not app.exception, app.exception
    return app.session_state


def begin(**query):
    app = AppTest.from_function(page_app, kwargs=OPTIONS, default_timeout=60)
    app.query_params.update(query)
    go(app, "any")
    return app


def test_the_own_model_returns_with_its_point_and_class_on_any_other_page():
    for leave in ("any", "no picker"):
        app = begin(model="mnist-cvae", z=",".join(["0.5"] * 8), y="3")
        s = go(app, "rooms only", "rooms")
        assert s.model == "rooms-ada"
        sentence = app.caption[0].value
        assert "known factors" in sentence and "until you leave" in sentence
        s = go(app, leave)
        assert (s.model, s.z, s.y) == ("mnist-cvae", (0.5,) * 8, 3)


def test_the_stand_in_keeps_its_point_between_two_pages_that_need_it():
    app = begin(model="mnist-vae-2d")
    go(app, "one", "rooms")
    moved = tuple(v + 0.25 for v in app.session_state.z)
    app.session_state["z"] = moved
    assert go(app, "another", "rooms").z == moved
    assert go(app, "any").model == "mnist-vae-2d"
    assert go(app, "one", "rooms").z == moved


def test_a_model_picked_on_the_page_is_the_visitors_own_from_then_on():
    app = begin(model="mnist-vae-2d")
    go(app, "one", "rooms")
    options = app.selectbox[0].options
    assert options and all("ooms" in option for option in options)
    app.selectbox(key="model_picker").select("rooms-vae").run()
    assert app.session_state.model == "rooms-vae" and "returns" not in app.caption[0].value
    assert go(app, "any").model == "rooms-vae"


def test_without_the_named_model_the_first_that_can_be_used_stands_in():
    app = begin(model="fashion-vae-16d")
    assert go(app, "one", "sprites").model == "sprites-vae"
    assert go(app, "another", "fashion-mnist").model == "fashion-vae-16d"


def test_among_several_models_one_of_the_same_data_stands_in(monkeypatch):
    cards = cached.zoo_scan()[0]
    monkeypatch.setattr(state, "card", lambda: cards["sprites-vae"])
    others = {name: card for name, card in cards.items() if name != "sprites-vae"}
    assert cards[model_picker._stand_in(others, "none")].data == "sprites"
    assert model_picker._stand_in(others, "rooms-ada") == "rooms-ada"
    assert model_picker._stand_in({n: c for n, c in cards.items() if c.data == "mnist"}, "") == "mnist-vae-2d"


def test_the_menu_finds_models_by_data_set_and_name():
    texts = {name: model_picker.menu_text(card) for name, card in cached.zoo_scan()[0].items()}
    assert texts["mnist-vae-2d"] == "Digits, VAE, 2-D · MNIST · mnist-vae-2d"
    assert texts["fashion-vae-16d"] == "Clothes, VAE, 16-D · Fashion-MNIST · fashion-vae-16d"
    assert texts["mnist-iaf"].endswith(", 50-D · MNIST · mnist-iaf")
    assert texts["rooms-ada"] == "Rooms, Ada-GVAE, 10-D · rooms-ada"


def test_about_lists_the_models_that_cannot_be_used(monkeypatch):
    scan = (cached.zoo_scan()[0], {"broken": "its weights are cut short"})
    monkeypatch.setattr(cached, "zoo_scan", lambda: scan)
    app = AppTest.from_function(page_app, default_timeout=60)
    app.session_state["about"] = True  # the popover is open
    go(app, "any")
    assert [info.value for info in app.info] == ["**broken** is unavailable: its weights are cut short."]
    assert len(app.get("popover")) == 1  # nothing else takes room from the menu


def test_a_page_that_no_model_serves_says_so():
    app = begin()
    go(app, "one", "no such data")
    assert app.info[0].value == "This page needs known factors. No installed model has that."

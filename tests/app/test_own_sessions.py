"""Visitors' own models: each session sees its own, on one's own machine they stay, and nothing old is shown."""

import os
import random
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.shell import own, visitors
from tests import own_model
from tests.app.test_pages import PAGES, start
from vae import ModelUnavailable, folders, project
from vae.store import Store

LOCAL = {"Host": "localhost:8501", "Origin": "http://localhost:8501"}


@pytest.mark.parametrize("answer, address, headers", [
    (True, None, LOCAL),
    (True, None, {"Host": "127.0.0.1:8501"}),
    (True, None, {"Host": "[::1]:8501", "Origin": "http://[::1]:8501"}),
    (False, "192.168.0.7", LOCAL),
    (False, None, {}),
    (False, None, {"Host": "vae.example.org"}),
    (False, None, {"Host": "localhost.example.org"}),
    (False, None, {"Host": "localhost@example.org"}),
    (False, None, {**LOCAL, "Origin": "https://vae.example.org"}),
    (False, None, {**LOCAL, "Origin": "null"}),
    (False, None, {**LOCAL, "Origin": "http://[broken"}),
    (False, None, {**LOCAL, "X-Forwarded-For": "10.0.0.1"}),
    (False, None, {**LOCAL, "x-forwarded-proto": "https"}),
    (False, None, {**LOCAL, "Forwarded": "for=10.0.0.1"}),
    (False, None, {**LOCAL, "X-Real-IP": "10.0.0.1"}),
    (False, None, {**LOCAL, "Via": "1.1 proxy"}),
    (False, None, {**LOCAL, "CF-Connecting-IP": "10.0.0.1"}),
])  # fmt: skip
def test_ones_own_machine_is_known_by_the_request(answer, address, headers, monkeypatch):
    monkeypatch.delenv("VAE_SHARED", raising=False)
    context = SimpleNamespace(ip_address=address, headers=headers)
    assert own.is_ones_own(context) is answer
    monkeypatch.setenv("VAE_SHARED", "1")
    assert not own.is_ones_own(context)


@pytest.fixture
def result(tmp_path):
    """The folder that a training leaves."""
    own_model.make(tmp_path / "result")
    return tmp_path / "result"


@pytest.fixture(autouse=True)
def no_visitors():
    visitors.remove_all()
    yield
    visitors.remove_all()


def a_visit():
    """One run of a page, for a session that first does what the test has put into its state."""
    import streamlit as st

    from pages.components.live_panel.python_code import python_code
    from pages.components.shell import cached, link, own, own_panel, state

    link.begin_run()
    action, *arguments = st.session_state.pop("action", ("nothing",))
    actions = {
        "adopt": own.adopt, "open": own.open_project, "rename": own.rename, "delete": own.delete,
        "choose": state.set_model, "nothing": lambda: None, "decode": lambda: state.decode(state.z()[None]).numpy(),
        "export": own.export, "weights": lambda name: cached.model(name).card.weights_sha256,
        "offer": lambda: own_panel.show_download(state.card()),
    }  # fmt: skip
    try:
        st.session_state.answer = actions[action](*arguments)
    except Exception as error:
        st.session_state.answer = error
    st.session_state.listed = {name: card.title for name, card in cached.zoo_scan()[0].items()}
    st.session_state.yours = own.names()
    if not state.model_was_removed():
        st.session_state.card, st.session_state.code = state.card(), python_code()
        st.session_state.where = own_panel._where(state.card())
    link.show_warnings()


class Visitor:
    """A visitor of a server, with one session."""

    def __init__(self, **query):
        self.app = AppTest.from_function(a_visit, default_timeout=180)
        self.app.query_params.update(query)
        self.do("nothing")

    def do(self, *action):
        self.app.session_state["action"] = action
        self.app.run()
        assert not self.app.exception, self.app.exception
        return self.app.session_state["answer"]

    @property
    def yours(self):
        return self.app.session_state["yours"]


def test_a_session_s_model_is_listed_in_it_alone(result):
    one, two = Visitor(), Visitor()
    name = one.do("adopt", result)
    assert name.startswith("mine-") and one.yours == [name]
    two.do("nothing")
    assert name not in two.app.session_state["listed"] and two.yours == []
    for action in (("choose", name), ("rename", name, "Taken"), ("delete", name), ("export", name), ("weights", name)):
        assert isinstance(two.do(*action), ModelUnavailable), action
    assert Visitor(model=name).app.session_state["model"] == "mnist-vae-2d"
    one.do("nothing")
    assert one.app.session_state["listed"][name] == "Shapes in 2-D"


def test_a_model_of_a_session_is_in_a_folder_that_only_its_user_may_open_and_goes_with_it(result):
    one = Visitor()
    name = one.do("adopt", result)
    (shelf,) = visitors._shelves.values()
    assert (shelf.root / name / "model.safetensors").is_file() and not (folders.home() / name).exists()
    assert shelf.root.stat().st_mode & 0o077 == 0
    visitors.look(keep=60)
    assert shelf.root.exists(), "a reload is not the end"
    visitors.look(keep=-1)
    assert not shelf.root.exists()
    one.do("nothing")
    assert one.yours == [] and isinstance(one.do("choose", name), ModelUnavailable)


def test_a_session_that_is_connected_keeps_its_models(result, monkeypatch):
    one = Visitor()
    one.do("adopt", result)
    monkeypatch.setattr(visitors, "is_connected", lambda session: True)
    visitors.look(keep=-1)
    assert len(visitors._shelves) == 1


def test_folders_of_servers_that_were_killed_are_removed(result, tmp_path, monkeypatch):
    monkeypatch.setattr(visitors.tempfile, "tempdir", str(tmp_path))
    one = Visitor()
    one.do("adopt", result)
    (kept,) = visitors._shelves.values()
    for process in ("999999999", str(os.getpid())):
        (tmp_path / f"{visitors.PREFIX}{process}-abc").mkdir()
    (tmp_path / f"{visitors.PREFIX}1-abc").mkdir()  # a process that runs
    visitors.remove_leftovers()
    left = sorted(path.name for path in tmp_path.glob(f"{visitors.PREFIX}*"))
    assert left == sorted([kept.root.name, f"{visitors.PREFIX}1-abc"])


def test_on_ones_own_machine_the_model_stays(result, tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(visitors, "is_ones_own", lambda context: True)
    one = Visitor()
    assert one.do("adopt", result) == "mine" and one.yours == ["mine"]
    assert (tmp_path / "home" / "mine" / "card.json").is_file() and not visitors._shelves
    assert Visitor(model="mine").app.session_state["model"] == "mine"
    monkeypatch.setattr(visitors, "is_ones_own", lambda context: False)
    two = Visitor()
    assert "mine" in two.app.session_state["listed"] and two.yours == []
    assert isinstance(two.do("delete", "mine"), ModelUnavailable)
    assert isinstance(two.do("rename", "mine", "Taken"), ModelUnavailable)


@pytest.mark.parametrize("permanent", [True, False])
def test_no_session_sees_what_was_renamed_deleted_or_replaced(permanent, tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(visitors, "is_ones_own", lambda context: permanent)
    one = Visitor()
    pictures = []
    for seed in (0, 1):
        own_model.make(tmp_path / f"result-{seed}", seed=seed)
        name = one.do("adopt", tmp_path / f"result-{seed}")
        assert not isinstance(name, Exception), name
        one.do("choose", name)
        pictures.append(one.do("decode"))
        one.do("rename", name, f"Title {seed}")
        one.do("nothing")
        assert one.app.session_state["listed"][name] == f"Title {seed}"
        assert one.do("delete", name) is None
        one.do("nothing")
        assert one.app.session_state["model"] == "mnist-vae-2d" and one.yours == []
        assert [w.value for w in one.app.warning] == [] or "was removed" in one.app.warning[0].value
    assert abs(pictures[0] - pictures[1]).max() > 1e-3


def test_a_project_file_opens_to_the_same_picture_in_another_session(result, tmp_path):
    one, two = Visitor(), Visitor()
    name = one.do("adopt", result)
    content = one.do("export", name)
    assert project.read(content, tmp_path / "elsewhere").name == "mine", "as it was called before"
    opened = two.do("open", content)
    assert opened != name and opened.startswith("mine-") and len(opened) == len(name)
    one.do("choose", name)
    assert (one.do("decode") == two.do("decode")).all()
    assert isinstance(two.do("open", content[:-10]), project.ProjectError)


def test_the_button_of_the_model_file_works_outside_the_session(result, tmp_path, monkeypatch):
    """Streamlit makes the file when the browser asks for it, which is no run of the page."""
    buttons = []
    monkeypatch.setattr("streamlit.download_button", lambda label, data, name, *_, **__: buttons.append((data, name)))
    one = Visitor()
    one.do("choose", one.do("adopt", result))
    one.do("offer")
    ((make, name),) = buttons
    assert name == "mine.vae.zip" and visitors.models() == {}, "no session is here"
    assert project.read(make(), tmp_path / "elsewhere").name == "mine"


@pytest.mark.parametrize("home", ["a file", "a file/home"])
def test_a_home_that_cannot_be_written_leaves_the_model_to_the_session_which_says_so(
    home, result, tmp_path, monkeypatch
):
    (tmp_path / "a file").touch()
    monkeypatch.setenv("VAE_HOME", str(tmp_path / home))
    monkeypatch.setattr(visitors, "is_ones_own", lambda context: True)
    one = Visitor()
    name = one.do("adopt", result)
    assert name.startswith("mine-") and one.do("choose", name) is None and one.yours == [name]
    where = one.app.session_state["where"]
    assert "cannot be written" in where and str(tmp_path / home) in where and "Download it" in where
    (shelf,) = visitors._shelves.values()
    assert (shelf.root / name / "card.json").is_file()
    assert one.do("rename", name, "Taken along") is None and one.do("delete", name) is None


def test_a_home_that_becomes_writable_leaves_the_session_its_models(result, tmp_path, monkeypatch):
    (tmp_path / "home").touch()
    monkeypatch.setenv("VAE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(visitors, "is_ones_own", lambda context: True)
    one = Visitor()
    name = one.do("adopt", result)
    (tmp_path / "home").unlink()
    assert one.do("rename", name, "Renamed") is None
    one.do("nothing")
    assert one.app.session_state["listed"][name] == "Renamed" and one.yours == [name]
    assert one.do("adopt", result) == "mine" and (tmp_path / "home" / "mine").is_dir()
    assert one.do("delete", name) is None and one.do("delete", "mine") is None


def test_a_session_keeps_a_limited_number_of_models(result, monkeypatch):
    monkeypatch.setattr(visitors, "MAX_MODELS", 1)
    one = Visitor()
    name = one.do("adopt", result)
    assert "at most 1 model" in str(one.do("adopt", result))
    one.do("delete", name)
    assert isinstance(one.do("adopt", result), str)
    monkeypatch.setattr(visitors, "MAX_TOTAL", 0)
    assert "no space" in str(Visitor().do("adopt", result))
    monkeypatch.setattr(visitors, "MAX_MODELS", 8)
    monkeypatch.setattr(visitors, "MAX_EACH", 0)
    assert "at most 0 MB" in str(one.do("adopt", result))


@pytest.mark.slow
def test_two_sessions_over_200_interleaved_actions(tmp_path):
    """Each session does what a visitor may do, in random order, and now and then what he must not."""
    for seed in range(2):
        own_model.make(tmp_path / f"result-{seed}", seed=seed, title=f"Of {seed}")
    rng = random.Random(0)
    visitors, titles = [Visitor(), Visitor()], [{}, {}]
    weights = [None, None]
    for step in range(200):
        who = rng.randrange(2)
        me, mine, others = visitors[who], titles[who], titles[1 - who]
        action = rng.choice(["adopt", "rename", "delete", "choose", "decode", "steal", "nothing"])
        if action == "adopt" and len(mine) < 3:
            mine[me.do("adopt", tmp_path / f"result-{who}")] = f"Of {who}"
        elif action == "steal" and others:
            name = rng.choice(list(others))
            theft = rng.choice([("choose", name), ("delete", name), ("export", name), ("rename", name, "Stolen")])
            assert isinstance(me.do(*theft), ModelUnavailable), (step, theft)
        elif action in ("rename", "delete", "choose") and mine:
            name = rng.choice(list(mine))
            if action == "rename":
                mine[name] = f"Of {who}, {step}"
                me.do("rename", name, mine[name])
            elif action == "delete":
                del mine[name]
                me.do("delete", name)
            else:
                me.do("choose", name)
                found = me.do("weights", name)
                assert weights[who] in (None, found), step
                weights[who] = found
        else:
            me.do("decode")
        me.do("nothing")
        listed = {name: title for name, title in me.app.session_state["listed"].items() if title.startswith("Of ")}
        assert listed == mine, step
        assert me.app.session_state["model"] in {"mnist-vae-2d", *mine}, step
    assert weights[0] != weights[1] and None not in weights


@pytest.fixture
def mine(result, tmp_path, monkeypatch):
    """A visitor's model on his own machine, whose name a link may hold."""
    monkeypatch.setenv("VAE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(visitors, "is_ones_own", lambda context: True)
    return project.take(result, tmp_path / "home").name


def test_every_page_shows_such_a_model(mine):
    app = start(model=mine)
    for page in PAGES:
        if page != "home":
            app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, (page, app.exception)
        shown = app.session_state["own_place"] if "own_place" in app.session_state else app.session_state
        assert shown["model"] == mine, page


def opened(app):
    """Open About in the next runs."""
    app.session_state.about = True
    app.run()
    assert not app.exception, app.exception
    return app


def test_the_picker_lists_it_first_and_about_renames_and_deletes_it(mine):
    app = start("sliders", model=mine)
    assert app.selectbox(key="model_picker").options[0] == "Yours: Shapes in 2-D"
    opened(app)
    assert any("This model is yours" in text.value for text in app.markdown)
    (title,) = [field for field in app.text_input if field.label == "Title"]
    title.set_value("Bars and squares")
    opened(app)
    assert app.selectbox(key="model_picker").options[0] == "Yours: Bars and squares"
    for button in ("own_delete", "own_keep", "own_delete"):
        app.button(key=button).click()
        opened(app)
    app.button(key="own_delete_now").click().run()
    assert not (folders.home() / mine).exists()
    afterwards = start("sliders", model=mine)
    assert afterwards.session_state.model == "mnist-vae-2d"
    assert "Yours" not in afterwards.selectbox(key="model_picker").options[0]


def test_a_session_s_model_says_when_it_is_deleted_and_its_code_where_it_comes_from(result):
    one = Visitor()
    name = one.do("adopt", result)
    one.do("choose", name)
    card = one.app.session_state["card"]
    assert one.app.session_state["where"].startswith("This model belongs to your session.")
    assert card.name == name and "vae import mine.vae.zip" in one.app.session_state["code"]
    assert "vae.load('mine')" in one.app.session_state["code"]


def test_a_shipped_model_is_not_yours(mine):
    app = opened(start("sliders", model="mnist-vae-2d"))
    assert not [button for button in app.button if button.key == "own_delete"]


def test_a_model_file_opens_where_the_picker_is_and_a_bad_one_says_why(mine, tmp_path):
    app = opened(start("sliders", model="mnist-vae-2d"))
    content = project.write(Store(), mine)
    app.file_uploader[0].set_value(("mine.vae.zip", content[:99], "application/zip"))
    opened(app)
    assert "cannot be opened: this is not a project file" in app.error[0].value
    app.file_uploader[0].set_value(("mine.vae.zip", content, "application/zip"))
    opened(app)
    assert app.session_state.model == "mine-2" and not app.error

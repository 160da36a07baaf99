"""The handout in Chromium: from disk, without a network, as a damaged file, without WebAssembly, as a static site."""

import html
import re
import threading
import urllib.parse
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

import vae
from vae.browser.handout import FILE_SECURITY, site
from vae.glossary import TERMS, mentioned
from vae.lessons import read_lesson

from .app_server import watch
from .handouts import LESSON, MODELS, PHONE, opened

PANEL = "document.querySelector('.view > div').shadowRoot.panel"


def place(page):
    view, _, query = urllib.parse.urlparse(page.url).fragment.partition("?")
    return view, {key: values[0] for key, values in urllib.parse.parse_qs(query).items()}


def code(page):
    return [float(value) for value in place(page)[1]["z"].split(",")]


def test_a_slider_moves_z_and_the_picture_is_what_torch_decodes(browser, handout):
    with opened(browser, handout) as page:
        slider = page.locator("input[type=range]").first
        slider.focus()
        page.keyboard.press("End")
        page.wait_for_url(re.compile("z="))
        decoded = page.evaluate(f"() => {{ const p = {PANEL}; return [...p.entry.decoder.decode(p.z, 0)] }}")
        assert not page.evaluate(f"() => {PANEL}.entry.decoder.isPlain")
        z = torch.tensor([page.evaluate(f"() => {PANEL}.z")])
        np.testing.assert_allclose(decoded, vae.load("mnist-vae-16d").decode(z).detach().flatten(), atol=1e-4)
        np.testing.assert_allclose(code(page), z[0], atol=1e-4)
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("button", name="Redo")).to_be_enabled()


ALL_TEXT = """() => {
  const text = (node) => node.nodeType === 3 ? node.data
    : node.nodeType !== 1 || node.tagName === 'STYLE' || getComputedStyle(node).display === 'none' ? ''
    : [...(node.shadowRoot ?? node).childNodes].map(text).join(' ');
  return [...document.querySelectorAll('.view, .sentence')].map(text).join(' ');
}"""


@pytest.mark.slow
def test_about_says_what_the_visitor_sees_and_explains_the_terms_of_all_views(browser, handout):
    names = {term.name: key for key, term in TERMS.items()}
    with opened(browser, handout, "#about?model=rooms-ada") as page:
        page.get_by_role("heading", name="What am I looking at?").wait_for()
        terms = page.locator("dl").last
        listed = {names[name] for name in terms.locator("dt").all_inner_texts()}
        assert TERMS["kl"].definition in terms.inner_text()
        views = page.locator("dl").first.locator("a").all_inner_texts()
        used = set(mentioned(page.locator(".view > p").first.inner_text()))
        for view in views:
            page.locator("nav").get_by_role("link", name=view, exact=True).click()
            page.locator("h2").get_by_text(view, exact=True).wait_for()
            page.wait_for_timeout(500)
            used |= set(mentioned(page.evaluate(ALL_TEXT)))
        assert len(views) == 7 and used - {"cross-entropy"} <= listed  # rooms have a Gaussian likelihood
        page.goto(f"{handout.as_uri()}#about?model=mnist-vae-16d")
        page.locator("dd").get_by_text("MNIST digits. Y. LeCun").wait_for()
        assert page.get_by_role("link", name="Disentangle").count() == 1, "its data have no factors"
        assert "MIG" not in page.locator("dl").last.locator("dt").all_inner_texts()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["srcdoc", "src"])
def test_every_view_works_in_a_sandboxed_frame(browser, handout, tmp_path, how):
    """A course page embeds the file without an origin: storage is refused, and so may be the address."""
    text = handout.read_text(encoding="utf-8")
    source = f'srcdoc="{html.escape(text)}"' if how == "srcdoc" else f'src="{handout.as_uri()}"'
    page_file = tmp_path / "course.html"
    frame_html = f'<!doctype html><iframe sandbox="allow-scripts" {source} width="1200" height="850"></iframe>'
    page_file.write_text(frame_html, encoding="utf-8")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(page_file.as_uri())
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="Sliders").wait_for()
    storage = page.frames[1].evaluate("() => { try { return typeof sessionStorage } catch { return 'refused' } }")
    assert storage == "refused"
    for view in ("Sample", "Interpolate", "Map", "Inside", "Match", "About", "Sliders"):
        frame.locator("nav").get_by_role("link", name=view, exact=True).click()
        expect(frame.locator("h2").first).to_have_text(view)
        expect(frame.get_by_role("alert").filter(has_text="cannot")).to_have_count(0)
    frame.get_by_label("Model").select_option("rooms-ada")
    frame.locator("nav").get_by_role("link", name="Disentangle", exact=True).click()
    expect(frame.locator("h2").first).to_have_text("Disentangle")
    frame.get_by_role("link", name="Lesson: What the KL does").click()
    frame.get_by_role("button", name="Next").click()
    expect(frame.get_by_text("step 2 of")).to_be_visible()
    frame.get_by_role("button", name="Leave lesson").click()
    expect(frame.locator(".lesson")).to_be_hidden()
    assert not errors
    context.close()


@pytest.mark.slow
def test_a_print_shows_the_values_that_were_chosen(browser, handout):
    with opened(browser, handout, "#sample?model=mnist-vae-16d&sample_temperature=0.5") as page:
        page.emulate_media(media="print")
        assert page.locator(".range output").is_visible() and page.locator(".range output").inner_text() == "0.5"
        assert page.get_by_role("button", name="Sample again").is_hidden()
        page.emulate_media(media="screen")
        page.get_by_role("link", name="Interpolate").click()
        page.emulate_media(media="print")
        pressed = page.locator(".choices [aria-pressed=true]")
        assert pressed.count() and all(one.is_visible() for one in pressed.all())
        assert not any(one.is_visible() for one in page.locator(".choices [aria-pressed=false]").all())


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_images_are_encoded_as_by_torch(browser, handout, model):
    with opened(browser, handout, f"#sliders?model={model}") as page:
        x, mean = page.evaluate(
            f"() => {{ const {{ decoder }} = {PANEL}.entry, x = decoder.decode({PANEL}.z, 0).slice();"
            " return [[...x], [...decoder.encode(x, 0).mean]] }"
        )
        loaded = vae.load(model)
        channels, height, width = loaded.card.image_shape
        x = torch.tensor(x).reshape(1, height, width, channels).permute(0, 3, 1, 2)
        np.testing.assert_allclose(mean, loaded.encode(x).mean.detach()[0], atol=1e-4)


@pytest.mark.slow
def test_the_address_names_the_place_and_back_returns_to_it(browser, handout):
    with opened(browser, handout, "#sample?model=rooms-ada&seed=5") as page:
        expect(page.get_by_text("seed 5.")).to_be_visible()
        page.locator(".view .cell").nth(3).click()
        z = code(page)
        page.get_by_role("link", name="Sliders").click()
        expect(page.locator("h2")).to_have_text("Sliders")
        assert place(page)[1]["model"] == "rooms-ada" and code(page) == z
        page.get_by_label("Model").select_option("mnist-vae-16d")
        expect(page).to_have_title(re.compile("Digits"))
        page.go_back()
        expect(page).to_have_title(re.compile("Rooms"))
        assert code(page) == z
        page.go_back()
        expect(page.locator("h2")).to_have_text("Sample")


@pytest.mark.slow
@pytest.mark.parametrize(
    "address",
    ["#nowhere", "#SLIDERS?model=other&z=1", "#sample?z=a,b&y=99&seed=-1", "#map?model=rooms-ada&z=1,2",
     "#sliders?z=,", "#interpolate?interpolate_line=toString", "#sample?sample_temperature=abc", "#map?lesson=kl.9"],
)
def test_a_damaged_address_opens_what_it_can(browser, handout, address):
    with opened(browser, handout, address) as page:
        expect(page.locator(".view *").first).to_be_attached()


@pytest.mark.slow
def test_a_cell_of_the_heat_map_chooses_the_strips(browser, handout):
    with opened(browser, handout, "#disentangle?model=rooms-ada") as page:
        page.get_by_role("button", name=re.compile("^wall hue, z9")).click()
        expect(page.get_by_role("heading", name="wall hue and z9")).to_be_visible()
        before = code(page) if "z" in place(page)[1] else None
        page.get_by_role("button", name=re.compile("^z9 =")).first.click()
        page.wait_for_url(re.compile("z="))
        assert code(page) != before


@pytest.mark.slow
def test_a_phone_shows_whole_numbers_and_pictures_that_can_be_told_apart(browser, handout):
    with opened(browser, handout, "#disentangle?model=rooms-ada", **PHONE) as page:
        cells = page.locator(".heat button")
        cut = cells.evaluate_all("""(cells) => cells.filter((cell) => {
          const text = new Range(), { left, right } = cell.getBoundingClientRect();
          text.selectNodeContents(cell);
          const box = text.getBoundingClientRect();
          return box.left < left || box.right > right;
        }).length""")
        assert cells.count() == 60 and cut == 0
        last = cells.nth(9)
        last.scroll_into_view_if_needed()  # the table scrolls within its box
        assert last.bounding_box()["x"] + last.bounding_box()["width"] <= PHONE["viewport"]["width"]
        pictures = page.locator(".grid .cell")
        assert pictures.count() == 18
        assert min(pictures.nth(i).bounding_box()["width"] for i in range(18)) >= 44


@pytest.mark.slow
def test_a_lesson_asks_reveals_and_ends_with_a_summary(browser, handout):
    recon = vae.load("mnist-vae-16d").card.figures["recon"]
    with opened(browser, handout, **PHONE) as page:
        page.get_by_role("link", name="Lesson: What the KL does").click()
        panel = page.get_by_role("region", name="Lesson")
        expect(panel).to_contain_text("step 1 of 2")
        expect(page.locator(".terms table")).to_have_css("outline-style", "solid")  # what the question is about
        expect(panel.get_by_role("button", name="Reveal")).to_be_disabled()
        panel.get_by_label("The KL").check()
        panel.get_by_label("The reconstruction").check()  # an answer can be changed until the result is shown
        expect(panel.get_by_role("status")).to_be_empty()
        panel.get_by_role("button", name="Reveal").click()
        expect(panel.get_by_role("status")).to_contain_text(f"The reconstruction error is {recon:.1f} nats")
        expect(panel).to_contain_text("Your prediction ✓")
        panel.get_by_role("button", name="Next").click()
        expect(panel).to_contain_text("This lesson has 2 more steps in the full app.")
        panel.get_by_label("It slants the digit").check()
        panel.get_by_role("button", name="Reveal").click()
        expect(panel).to_contain_text("Your prediction ✗")
        page.get_by_role("link", name="Map").click()
        panel.get_by_role("button", name="Back to this step").click()
        expect(page.get_by_role("heading", name="Inside", exact=True)).to_be_visible()
        expect(panel).to_contain_text("Your prediction ✗")
        expect(page.locator(".terms table")).to_have_css("outline-style", "none")  # that was another step
        panel.get_by_role("button", name="Summary").click()
        assert panel.locator("dd").all_inner_texts() == [
            "The reconstruction", "The reconstruction", "It slants the digit", "Not at all",
        ]
        panel.get_by_role("button", name="Leave lesson").click()
        expect(panel).to_be_hidden()


def test_a_lessons_link_has_the_order_of_its_answers(browser, handout):
    lesson = read_lesson(LESSON)
    for seed in (0, 1, 2, 9999):
        with opened(browser, handout, f"#inside?lesson=kl.2&shuffle={seed}") as page:
            assert page.locator("fieldset label").all_inner_texts() == lesson.answers(1, seed)


@pytest.mark.parametrize("wrong", ["kl.9", "kl.1&shuffle=x", "kl.2&shuffle=10000", "kl.2&shuffle=0.5", "kl"])
def test_a_damaged_link_to_a_lesson_is_its_start_and_one_sentence(browser, handout, wrong):
    with opened(browser, handout, f"#inside?lesson={wrong}") as page:
        panel = page.get_by_role("region", name="Lesson")
        expect(panel.get_by_role("alert")).to_contain_text("in this link does not exist. The lesson starts at step 1.")
        expect(panel).to_contain_text("step 1 of 2")


def test_nothing_leaves_under_the_policy_of_the_file(browser, handout):
    text = handout.read_text(encoding="utf-8")
    assert f'content="{FILE_SECURITY}"' in text and "connect-src" not in FILE_SECURITY
    assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=", text)


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_file_cut_short_says_so(browser, handout, tmp_path, share):
    content = handout.read_bytes()
    path = tmp_path / "cut.html"
    path.write_bytes(content[: int(share * len(content))])
    page = browser.new_page()
    page.goto(path.as_uri())
    expect(page.get_by_role("alert")).to_contain_text("This page did not load completely.")
    page.close()


def test_a_damaged_content_is_one_sentence(browser, handout, tmp_path):
    path = tmp_path / "damaged.html"
    content = handout.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?<=id=\"content\">.{5000}).{40}", "A" * 40, content), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    sentence = "This page cannot be shown: the file is damaged. Download it again."
    expect(page.get_by_role("alert")).to_have_text(sentence)
    page.close()


@pytest.mark.slow
def test_without_webassembly_the_quiet_line_says_so(browser, handout):
    context = browser.new_context(offline=True)
    context.add_init_script("WebAssembly.Module = class { constructor() { throw new Error('refused') } }")
    page = context.new_page()
    errors = watch(page)
    page.goto(handout.as_uri())
    expect(page.get_by_text("in your browser, in plain JavaScript, in")).to_be_visible()
    context.close()
    assert not [error for error in errors if not error.startswith("a request to file:")]


@pytest.mark.slow
def test_a_site_fetches_a_model_when_it_is_chosen(browser, tmp_path):
    paths = site(("mnist-vae-16d", "rooms-ada"), tmp_path)
    files = sorted(path.name.rpartition("-")[0] for path in paths[1:] if path.suffix != ".html")
    assert files == ["mnist", "mnist-vae-16d", "rooms", "rooms-ada"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    errors, fetched = watch(page), []
    page.on("request", lambda request: fetched.append(request.url.rpartition("/")[2]))
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    expect(page.get_by_text("decoded in your browser")).to_be_visible()
    assert not any(name.startswith("rooms") for name in fetched)
    page.get_by_label("Model").select_option("rooms-ada")
    expect(page).to_have_title(re.compile("Rooms"))
    assert any(name.startswith("rooms-ada") for name in fetched)
    page.get_by_role("link", name="Interpolate").click()
    expect(page.locator(".view .cell").first).to_be_visible()
    page.get_by_role("link", name="About").click()
    line = page.locator("code").inner_text()
    other = browser.new_page(viewport={"width": 360, "height": 640})
    other.set_content(line)
    expect(other.frame_locator("iframe").get_by_text("decoded in your browser")).to_be_visible()
    assert other.frames[1].evaluate("document.documentElement.scrollWidth <= innerWidth")
    other.close()
    page.close()
    server.shutdown()
    assert not errors

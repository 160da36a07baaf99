"""Bundles: one module out of many, in order, with errors that name file and line."""

import json
import re
import subprocess

import pytest

from vae.browser.bundle import FOLDER, BundleError, bundle, inline, modules

WIDGETS = sorted(path.name for path in (FOLDER / "widgets").iterdir())
CHANNELS = sorted(FOLDER.rglob("*_channel.js"))


def write(folder, **files):
    """Write modules: main="..." becomes main.js; sub_a="..." becomes sub/a.js. Returns the main one."""
    for name, text in files.items():
        path = folder / (name.replace("_", "/") + ".js")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "main.js"


def run(folder, script, expression="module"):
    """Run a bundle in node and return a value of its exports."""
    (folder / "bundle.mjs").write_text(script, encoding="utf-8")
    (folder / "run.mjs").write_text(
        f"import * as module from './bundle.mjs';\nconsole.log(JSON.stringify({expression}));\n", encoding="utf-8"
    )
    done = subprocess.run(["node", folder / "run.mjs"], capture_output=True, encoding="utf-8", timeout=60)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


def names(entry):
    return [module.path.name for module in modules(entry)]


def test_exports_of_every_form_reach_the_importer(tmp_path):
    main = write(
        tmp_path,
        main="import whole, { add as plus, Counter, LIMIT, late } from './a.js';\n"
        "import {\n  deep,\n} from './sub/b.js';\n"
        "export const found = [whole, plus(1, 2), new Counter().n, LIMIT, deep, late];\nexport default 7;\n",
        a="export function add(a, b) {\n  return a + b;\n}\nexport class Counter { n = 3 }\nexport const LIMIT = 4;\n"
        "const later = 'late';\nexport { later as late };\nexport default 'whole';\n",
        sub_b="import { add } from '../a.js';\nexport const deep = add(10, 20);\n",
    )
    script = bundle(main)
    assert run(tmp_path, script, "[module.found, module.default]") == [["whole", 3, 3, 4, 30, "late"], 7]
    assert names(main) == ["a.js", "b.js", "main.js"]  # none twice, each after those it imports
    assert not re.search(r"^import", script, re.M)


def test_default_functions_keep_their_names(tmp_path):
    main = write(
        tmp_path,
        main="import one from './a.js';\nimport two from './b.js';\nexport const found = [one(3), two(3)];\n",
        a="export default function factorial(n) {\n  return n ? n * factorial(n - 1) : 1;\n}\n",
        b="export default function (n) {\n  return n + 1;\n}\n",
    )  # fmt: skip
    assert run(tmp_path, bundle(main), "module.found") == [6, 4]


def test_modules_may_use_the_same_names(tmp_path):
    shared = "const SIZE = {n};\nfunction show() {{\n  return SIZE;\n}}\nexport const {name} = show;\n"
    main = write(
        tmp_path, a=shared.format(n=1, name="one"), b=shared.format(n=2, name="two"),
        main="import { one } from './a.js';\nimport { two } from './b.js';\nconst SIZE = 3;\n"
        "export const found = [one(), two(), SIZE];\n",
    )  # fmt: skip
    assert run(tmp_path, bundle(main), "module.found") == [1, 2, 3]


def test_texts_are_strings(tmp_path):
    text = "<p class='a'>`${x}` \\ </p>\n\u2028"
    (tmp_path / "x.html").write_text(text, encoding="utf-8")
    main = write(tmp_path, main="import html from './x.html';\nexport { html };\n")
    assert run(tmp_path, bundle(main), "module.html") == text


def test_an_entry_may_be_a_text_that_is_no_file(tmp_path):
    write(tmp_path, a="export const one = 1;\n")
    text = (
        "import { one } from './a.js';\nimport { fill } from '/runtime/pixels.js';\n"
        "export default [one, typeof fill];\n"
    )
    assert run(tmp_path, bundle(tmp_path / "none.js", text), "module.default") == [1, "function"]
    assert [module.name for module in modules(tmp_path / "none.js", text)][1] == "runtime/pixels.js"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"main": "\nimport { a } from './gone.js';\n"}, r"main\.js, line 2: there is no .*gone\.js"),
        ({"main": "import { b } from './a.js';\n", "a": "export const a = 1;\n"}, r"main\.js, line 1: .*exports no b"),
        ({"main": "import { a } from 'lodash';\n"}, r"main\.js, line 1: 'lodash' is no module"),
        ({"main": "import './a.js';\n", "a": ""}, r"main\.js, line 1: .*cannot be bundled: import './a\.js'"),
        ({"main": "\n\nexport let n = 1;\n"}, r"main\.js, line 3: .*export let n"),
        ({"main": "export * from './a.js';\n", "a": ""}, r"main\.js, line 1: "),
        ({"main": "export { a } from './a.js';\n", "a": "export const a = 1;\n"}, r"main\.js, line 1: "),
        ({"main": "export const { a } = { a: 1 };\n"}, r"main\.js, line 1: "),
        ({"main": "const a = 1;\nconst b = import('./a.js');\n", "a": ""}, r"main\.js, line 2: .*dynamic import"),
        (
            {"main": "import { a } from './a.js';\n", "a": "import { b } from './b.js';\nexport const a = 1;\n",
             "b": "import { a } from './a.js';\nexport const b = 1;\n"},
            r"each other: .*a\.js -> .*b\.js -> .*a\.js",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_bundled_is_named_with_its_line(tmp_path, files, said):
    with pytest.raises(BundleError, match=said):
        bundle(write(tmp_path, **files))


def test_a_script_in_html_does_not_end_early():
    code = "const text = '</script><!--';"
    body = inline(code).partition('<script type="module">')[2]
    assert body.count("</script") == 1 and "<!--" not in body
    assert r"'<\/script><\!--'" in body


@pytest.mark.parametrize("name", WIDGETS)
def test_every_widget_is_one_module_that_mounts(tmp_path, name):
    assert run(tmp_path, bundle(f"widgets/{name}/{name}.js"), "Object.keys(module)") == ["mount"]


def test_channels_receive(tmp_path):
    assert len(CHANNELS) == 4
    for path in CHANNELS:
        assert run(tmp_path, bundle(path), "[Object.keys(module), module.receive.length]") == [["receive"], 2]


PAGE = {FOLDER / "host/host.html", FOLDER / "host/host.css"}  # around a bundle
PAGES = ["host/page.js", "host/training_page.js", "notebook/explorer.js", "notebook/training.js"]


def test_every_file_is_part_of_a_bundle():
    entries = [f"widgets/{name}/{name}.js" for name in WIDGETS] + CHANNELS + PAGES
    used = {module.path for entry in entries for module in modules(entry)}
    assert {path for path in FOLDER.rglob("*") if path.suffix in (".js", ".html", ".css")} == used | PAGE

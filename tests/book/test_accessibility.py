"""Every page of the built book on a web server: what axe finds in light and dark mode,
what fails, what it weighs.

Axe knows the rules of WCAG 2.2, levels A and AA, that a program can judge. That a
picture's description is a good one, or that a player can be worked from the keyboard,
it cannot tell: the other tests and our eyes look for that.
"""

import re
from urllib.parse import unquote, urlsplit

import pytest

from book_pages import open_page

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OF_COLOUR = ["color-contrast", "link-in-text-block"]  # what can differ in dark mode
# The colours of each kind of page are judged, which takes longest; those of the other
# chapters, which share its template, in the slow lane.
ONE_OF_EACH = re.compile(
    r"(intro|glossary|references|search|try_it|chapters/(01|06|10|13|14)_\w+)\.html"
)
# nothing to load: every style sheet is the book's own
OPTIONS = {"resultTypes": ["violations"], "preload": False}

# Solutions and answers are opened, and changes of colour are made at once. A chapter
# has thousands of coloured words of code, and axe takes long for them: of each colour
# the first stays one, and the others become text.
PREPARE = """() => {
    const style = document.createElement("style");
    style.textContent = "* { transition: none !important; animation: none !important }";
    document.head.append(style);
    document.querySelectorAll("details").forEach(details => { details.open = true; });
    const seen = new Set();
    for (const word of document.querySelectorAll("pre span")) {
        const around = ["pre", ".cell", ".cell_output"].map(name => word.closest(name));
        const colour = [word, ...around].map(element => element?.className).join("|");
        if (seen.has(colour)) word.replaceWith(...word.childNodes);
        seen.add(colour);
    }
    document.querySelectorAll("pre").forEach(code => code.normalize());
}"""
# Axe needs two milliseconds for the contrast of one text. Elements whose classes and
# whose ancestors' classes are the same have the same colours: one of each kind stays to
# be seen.
ONE_OF_EACH_KIND = """() => {
    const seen = new Set();
    const hide = (element, above) => {
        const given = ["class", "style"].map(name => element.getAttribute(name));
        const kind = [above, element.tagName, ...given].join(" ");
        const repeated = seen.has(kind);
        seen.add(kind);
        const parts = [...element.children].map(part => hide(part, kind));
        if (!repeated || parts.includes(false)) return false;
        element.style.visibility = "hidden";
        return true;
    };
    hide(document.body, "");
}"""
FACES = """() => [...document.querySelectorAll(".cell_output img")]
    .map(figure => getComputedStyle(figure))
    .map(style => [style.backgroundColor, style.filter])"""
# A figure has a padding of 8 pixels on each side. What is folded away has no size. Two
# pixels for each on the page; one of a photograph, which has no edges of lines.
BLURRED = """() => [...document.querySelectorAll(".cell_output img")]
    .filter(image => image.clientWidth > 16)
    .filter(image => image.naturalWidth < (/[.]jpe?g$/.test(image.currentSrc) ? 1 : 2)
                                          * (image.clientWidth - 16) - 2)
    .map(image => image.alt)"""
IN_MODE = "mode => (document.documentElement.dataset.theme ?? mode) === mode"


def set_mode(page, mode):
    """Dark or light: a page follows the system, until a reader chooses."""
    page.emulate_media(color_scheme=mode)
    page.wait_for_function(IN_MODE, arg=mode)


def axe_problems(page, of_colour=True):
    """What axe finds on an open page: a list of "mode: rule: element: message".

    Its colours are judged in light and dark mode, or not at all.
    """
    api = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="this test needs axe: bash tests/install_browser.sh",
    )
    problems = []

    def ask(mode, **options):
        set_mode(page, mode)
        for violation in (
            api.Axe().run(page, options=OPTIONS | options).response["violations"]
        ):
            for node in violation["nodes"]:
                message = (node["any"] + node["all"] + node["none"])[0]["message"]
                problems.append(
                    f"{mode}: {violation['id']}: {node['target']}: {message}"
                )

    page.evaluate(PREPARE)
    ask("light", runOnly=WCAG, rules={rule: {"enabled": False} for rule in OF_COLOUR})
    if of_colour:
        page.evaluate(ONE_OF_EACH_KIND)
        for mode in ("light", "dark"):
            ask(mode, runOnly=OF_COLOUR)
    return problems


@pytest.fixture(scope="module")
def visits(browser, address, book, pages):
    """Each page once. -> {name: (failures, what axe found, files asked for, faces of
    figures at night, blurred figures)}
    """
    found = {}
    page, failures = open_page(browser, f"{address}/intro.html")
    asked = set()
    page.on("request", lambda request: asked.add(unquote(urlsplit(request.url).path)))
    for name in [
        file.relative_to(book).as_posix() for file in pages if file.name != "index.html"
    ]:
        asked.clear(), failures.clear()
        page.goto(f"{address}/{name}", wait_until="load")
        page.wait_for_load_state("networkidle")
        page.evaluate("() => window.MathJax?.startup?.promise?.then(() => true)")
        problems = axe_problems(page, of_colour=bool(ONE_OF_EACH.fullmatch(name)))
        set_mode(page, "dark")
        faces = page.evaluate(FACES)
        page.wait_for_load_state("networkidle")
        files = {
            book / path.removeprefix(f"{urlsplit(address).path}/")
            for path in asked
            if path != "/favicon.ico"
        }
        found[name] = (
            list(failures),
            problems,
            files,
            faces,
            page.evaluate(BLURRED),
        )
    page.context.close()
    return found


def test_axe_finds_nothing(visits):
    assert not (
        found := [
            f"{name}: {problem}"
            for name, visit in visits.items()
            for problem in visit[1]
        ]
    ), found


@pytest.mark.slow
def test_axe_finds_nothing_in_the_colours_of_the_others(browser, address, book, pages):
    found = []
    for name in [
        file.relative_to(book).as_posix() for file in pages if file.name != "index.html"
    ]:
        if not ONE_OF_EACH.fullmatch(name):
            page, _ = open_page(browser, f"{address}/{name}")
            found += [f"{name}: {problem}" for problem in axe_problems(page)]
            page.context.close()
    assert not found


def test_pages_load_from_a_server(visits):
    """From disk they are loaded by tests/book/test_browser.py."""
    assert not (
        found := {name: failures for name, (failures, *_) in visits.items() if failures}
    ), found


def test_pages_are_light(visits, book):
    """In bytes on disk: a server that compresses sends less. `_static` is the same for
    all pages and is sent once.
    """
    for name, (_, _, files, _, _) in visits.items():
        shared = {file for file in files if file.is_relative_to(book / "_static")}
        assert book / name in files
        assert book / "_static" / "course.css" in shared
        limit = 2_500_000 if name == "chapters/10_evolution.html" else 1_500_000
        assert sum(file.stat().st_size for file in files - shared) < limit, name
        # MathJax alone: 2.1 MB
        assert sum(file.stat().st_size for file in shared) < 3_200_000, name
        # "Try it yourself" costs a visitor who does not use it little: no weights. Its
        # scripts and the star that it begins with have 127 kB, before compression.
        assert (
            sum(
                file.stat().st_size
                for file in files
                if file.is_relative_to(book / "try_it")
            )
            < 140_000
        ), name


def test_figures_are_sharp_and_keep_a_white_face_in_dark_mode(visits):
    faces = [face for visit in visits.values() for face in visit[3]]
    assert faces and all(face == ["rgb(255, 255, 255)", "none"] for face in faces)
    assert not (
        found := {name: visit[4] for name, visit in visits.items() if visit[4]}
    ), found


def test_axe_sees_a_broken_page(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(
        '<!doctype html><html lang="en"><title>Broken</title><style>.faint { color:'
        " #ccc; background: #fff }@media (prefers-color-scheme: dark) { .night { color:"
        ' #333; background: #111 } }</style><main><img src="data:,"><p class="night">At'
        ' night</p><details><summary>More</summary><p id="folded"'
        ' class="faint">Folded</p></details><pre><span>first</span> <span>second</span>'
        ' <span id="word" class="faint">third</span></pre>'
    )
    page, _ = open_page(browser, file.as_uri())
    found = {": ".join(problem.split(": ")[:3]) for problem in axe_problems(page)}
    page.context.close()
    faint = {
        f"{mode}: color-contrast: ['#{place}']"
        for mode in ("light", "dark")
        for place in ("folded", "word")
    }
    assert found == faint | {
        "light: image-alt: ['img']",
        "dark: color-contrast: ['.night']",
    }

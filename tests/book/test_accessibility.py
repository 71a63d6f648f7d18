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
    .map(figure => [figure, getComputedStyle(figure)])
    .map(([figure, style]) => [figure.matches(".chart"), style.backgroundColor,
        style.filter])"""
# A figure has a padding of 8 pixels on each side. What is folded away has no size. Two
# pixels for each on the page; one of a photograph, which has no edges of lines.
BLURRED = """() => [...document.querySelectorAll(".cell_output img")]
    .filter(image => image.clientWidth > 16)
    .filter(image => image.naturalWidth < (/[.]jpe?g$/.test(image.currentSrc) ? 1 : 2)
                                          * (image.clientWidth - 16) - 2)
    .map(image => image.alt)"""
# What a reader sees of an element that the keyboard has reached, or of what is in it.
LOOKS = """() => {
    const line = (style, name) => style[`${name}Style`] === "none"
        || style[`${name}Width`] === "0px" ? "" : style[name];
    const seen = style => [line(style, "outline"), line(style, "borderBottom"),
        style.boxShadow, style.backgroundColor].join();
    window.look = element => [element, ...element.querySelectorAll("img")]
        .map(one => seen(getComputedStyle(one))).join();
    window.before = new Map([...document.querySelectorAll("*")]
        .map(element => [element, look(element)]));
}"""
REACHED = """() => {
    const element = document.activeElement;
    if (element === document.body) return null;
    return [element.outerHTML.slice(0, 100), look(element) !== before.get(element)];
}"""
# The contrast of a line with what is behind its element, or of an outline; a style
# sheet's colours are opaque.
CONTRAST = """([name, part]) => {
    const luminance = colour => colour.match(/[0-9.]+/g).slice(0, 3)
        .map(value => value / 255)
        .map(value => value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4
            : value / 12.92)
        .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
    const clear = colour => /, 0[)]$/.test(colour);
    return [...document.querySelectorAll(name)].map(element => {
        let behind = element.parentElement;
        while (behind && clear(getComputedStyle(behind).backgroundColor))
            behind = behind.parentElement;
        const style = getComputedStyle(behind ?? document.body);
        const values = [getComputedStyle(element)[part], style.backgroundColor]
            .map(luminance).sort((one, other) => other - one);
        return (values[0] + 0.05) / (values[1] + 0.05);
    });
}"""
LANDMARKS = ["region", "landmark-unique", "landmark-one-main", "skip-link"]
LANDMARKS += ["landmark-no-duplicate-banner", "landmark-main-is-top-level"]
IN_MODE = "mode => (document.documentElement.dataset.theme ?? mode) === mode"


def set_mode(page, mode):
    """Dark or light: a page follows the system, until a reader chooses."""
    page.emulate_media(color_scheme=mode)
    page.wait_for_function(IN_MODE, arg=mode)


def axe():
    api = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="this test needs axe: bash tests/install_browser.sh",
    )
    return api.Axe()


def axe_problems(page, of_colour=True):
    """What axe finds on an open page: a list of "mode: rule: element: message".

    Its colours are judged in light and dark mode, or not at all.
    """
    judge, problems = axe(), []

    def ask(mode, **options):
        set_mode(page, mode)
        for violation in judge.run(page, options=OPTIONS | options).response[
            "violations"
        ]:
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


def test_figures_are_sharp_and_only_charts_turn_dark(visits):
    """A map or a photograph keeps its colours: a dimmed map is a wrong map."""
    faces = [face for visit in visits.values() for face in visit[3]]
    white = "rgb(255, 255, 255)"
    charts = [face for face in faces if face[0]]
    turned = [True, white, "invert(0.92) hue-rotate(180deg)"]
    assert charts and all(face == turned for face in charts)
    others = [face for face in faces if not face[0]]
    assert others and all(face == [False, white, "none"] for face in others)
    assert not (
        found := {name: visit[4] for name, visit in visits.items() if visit[4]}
    ), found


def unseen_stops(page, most=300):
    """The controls at which the Tab key stops and nothing changes: (all, unseen)."""
    page.evaluate(LOOKS)
    stops, unseen = [], []
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(REACHED)
        if found is None or (stops and found[0] == stops[0]):
            break  # at the end of the page
        stops.append(found[0])
        if not found[1]:
            unseen.append(found[0])
    return stops, unseen


@pytest.mark.parametrize(
    ("name", "mode"), [("chapters/06_attention_pooling", "light"), ("try_it", "dark")]
)
def test_focus_is_seen_on_every_control(browser, address, name, mode):
    page, _ = open_page(browser, f"{address}/{name}.html")
    set_mode(page, mode)
    stops, unseen = unseen_stops(page)
    buttons = [stop for stop in stops if stop.startswith("<button")]
    ring = page.evaluate(CONTRAST, [":focus-visible", "outlineColor"])
    page.context.close()
    assert len(stops) > 50 and len(buttons) >= 5 and unseen == []
    assert all(contrast >= 3 for contrast in ring)


def test_a_control_without_focus_is_seen(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(
        "<style>.bare { border: 0 } .bare:focus { outline: none; color: red }</style>"
        "<button>one</button>"
        '<button class="bare">two</button><a href="#" class="bare">three</a>'
    )
    page, _ = open_page(browser, file.as_uri())
    stops, unseen = unseen_stops(page)
    page.context.close()
    assert len(stops) == 3 and [
        "two" in stop or "three" in stop for stop in unseen
    ] == [
        True,
        True,
    ]


def test_headings_lines_and_landmarks(browser, address):
    """Each heading smaller than the one above it; lines that say something, 3 to 1."""
    page, _ = open_page(browser, f"{address}/chapters/12_faithfulness.html")
    sizes = page.evaluate(
        """() => [1, 2, 3, 4, 5].map(level => {
            const heading = document.createElement(`h${level}`);
            document.querySelector(".bd-article").append(heading);
            return parseFloat(getComputedStyle(heading).fontSize);
        })"""
    )
    page.evaluate(
        "document.querySelectorAll('details').forEach(one => one.open = true)"
    )
    faint = []
    for mode in ("light", "dark"):
        set_mode(page, mode)
        for name, part in (
            (".bd-article details:not(.hide)", "borderTopColor"),
            (".bd-article .guess input", "borderTopColor"),
            (".bd-article .cell_output thead th", "borderBottomColor"),
            (".search-button-field", "borderTopColor"),
        ):
            found = page.evaluate(CONTRAST, [name, part])
            assert found, name
            faint += [(mode, name, one) for one in found if one < 3]
    answer = axe().run(page, options=OPTIONS | {"runOnly": LANDMARKS}).response
    page.context.close()
    assert sizes == sorted(set(sizes), reverse=True) and sizes[-1] >= 16
    assert faint == []
    assert [found["id"] for found in answer["violations"]] == []


def test_a_search_says_what_it_has_found(browser, address):
    page, problems = open_page(browser, f"{address}/search.html?q=softmax")
    said = page.get_by_role("status")
    said.filter(has_text="found").wait_for(timeout=15_000)
    page.context.close()
    assert problems == []


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

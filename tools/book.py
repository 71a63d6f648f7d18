"""What makes a site of the book's pages: an extension of Sphinx, named in _config.yml.

Where the site will be, what a link to it shows, its map and its page for addresses that
are not there; which words its search knows; the small pictures of its first page. All
of it is made from what is in the repository, each time the book is built.
"""

import base64
import html
import io
import json
import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import sphinx.search
import yaml
from docutils import nodes
from PIL import Image, ImageDraw, ImageFont
from sphinx import addnodes

WORDS = Path(__file__).with_name("search_words.yml")
SHARED = "_static/shared.png"  # what a link to the book shows
SHARED_SIZE = 1200, 630
CARD_SIZE = 480, 288
# the cell that sets a chapter up, the same in each
SETUP = "from patchconvnet.course.announcement import announce"
# what the first page says of a chapter, in a card or in a list
SAID = re.compile(r"(?m)^(?:- )?\*\*\d\d\*\* \[.+\]\((chapters/\w+)\.\w+\):?\s+(.+)$")
NOT_FOUND = """<h1>There is no such page</h1>
<p>It may have moved. Begin at the <a href="{root}intro.html">first page</a>, or
<a href="{root}search.html">search</a> the book.</p>"""


# === where the site is, and what a link to it shows ===


def published_at(repository):
    """Where GitHub Pages puts the site of https://github.com/OWNER/REPO."""
    owner, name = urlsplit(repository).path.strip("/").split("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def settle(app, config):
    """Derive the site's settings from the address of the repository."""
    root = config.html_baseurl or published_at(
        config.html_theme_options["repository_url"]
    )
    path = urlsplit(root).path
    config.html_baseurl = config.ogp_site_url = root
    config.html_use_index = False  # of Python objects, and there are none
    config.ogp_site_name = config.html_title
    config.ogp_social_cards = {"enable": False}
    config.ogp_image = SHARED
    config.ogp_image_alt = "Where a network looks, before training and after epochs"
    config.ogp_custom_meta_tags = [
        '<meta name="twitter:card" content="summary_large_image" />',
        *(
            f'<meta property="og:image:{side}" content="{pixels}" />'
            for side, pixels in zip(("width", "height"), SHARED_SIZE)
        ),
    ]
    config.sitemap_url_scheme = "{link}"
    config.sitemap_show_lastmod = False
    config.sitemap_excludes = ["404.html", "genindex.html", "search.html"]
    config.notfound_urls_prefix = path
    config.notfound_context = {
        "title": "No such page",
        "body": NOT_FOUND.format(root=path),
    }


def describe(app, pagename, templatename, context, doctree):
    """Give a page its description: what the first page says of it, or else its own
    first sentences.
    """
    if doctree is None:
        return
    first_page = Path(app.srcdir, f"{app.config.root_doc}.md")
    said = dict(SAID.findall(first_page.read_text(encoding="utf-8"))).get(pagename)
    text = said or beginning(doctree)
    text = text[:1].upper() + text[1:]
    # sphinxext-opengraph writes what stands there, and no description of its own
    context["meta"] = {**(context["meta"] or {}), "og:description": html.escape(text)}
    context["metatags"] += (
        f'<meta name="description" content="{html.escape(text)}" />\n'
    )
    if pagename == app.config.root_doc:
        context["tagline"] = "a hands-on course in Keras 3"


def beginning(doctree, most=160):
    """The first sentences of a page, as many as fit: a text."""
    first = next(iter(doctree.findall(nodes.paragraph)), None)
    sentences = re.split(r"(?<=[.?!])\s+", first.astext()) if first else [""]
    text = sentences[0]
    for sentence in sentences[1:]:
        if len(f"{text} {sentence}") > most:
            break
        text += f" {sentence}"
    return " ".join(text.split())


def draw_shared(hero, title):
    """The picture that a link to the book shows: the hero below the title, an image."""
    with Image.open(hero) as picture:
        picture = picture.convert("RGB")
    picture.thumbnail((SHARED_SIZE[0] - 40, SHARED_SIZE[1]))
    canvas = Image.new("RGB", SHARED_SIZE, "white")
    canvas.paste(picture, (20, SHARED_SIZE[1] - picture.height - 10))
    middle = SHARED_SIZE[0] // 2, (SHARED_SIZE[1] - picture.height) // 2
    font = ImageFont.load_default(48)
    ImageDraw.Draw(canvas).text(middle, title, "#222", font, anchor="mm")
    return canvas


def finish(app, error):
    """Write what the builder does not."""
    if error is None and app.builder.format == "html":
        out = Path(app.outdir)
        hero = Path(app.srcdir, "site_static", "hero.png")
        draw_shared(hero, app.config.html_title).save(out / SHARED, optimize=True)
        # else jupyter-book writes a redirection there, which a link's preview stops at
        shutil.copyfile(out / f"{app.config.root_doc}.html", out / "index.html")


# === search ===


class Index(sphinx.search.IndexBuilder):
    """The index, without what no one looks for, and with what people type."""

    def _word_collector(self, doctree):
        doctree = doctree.deepcopy()  # the page itself stays whole
        for node in list(doctree.findall(is_left_out)):
            node.parent.remove(node)
        found = super()._word_collector(doctree)
        for node in doctree.findall(addnodes.index):
            places = node.get("places", [])
            found.titles.extend(places)  # shown as "Set up > out of memory"
            # in whatever order somebody types them, and with whatever between
            for entry in [*dict(places), *(entry[1] for entry in node["entries"])]:
                found.title_words.extend(self.lang.split(entry))
        return found


def is_left_out(node):
    """Whether that is a chapter's set-up, or what a cell prints."""
    classes = node["classes"] if isinstance(node, nodes.Element) else ()
    return "cell_output" in classes or (
        "cell_input" in classes and SETUP in node.astext()
    )


def add_words(app, doctree):
    """Put words that a page does not use itself into the search: of a page as entries
    of the index, of a place in it as if they were its title.
    """
    words = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    for place, entries in words.items():
        page, _, anchor = place.partition("#")
        if page == app.env.docname:
            app.env.note_dependency(str(WORDS))
            node = addnodes.index(entries=[])
            if anchor:
                node["places"] = [(entry, anchor) for entry in entries]
            else:
                node["entries"] = [
                    ("single", entry, "", "main", None) for entry in entries
                ]
            doctree.insert(0, node)


# === the first page's cards ===


def add_pictures(app, doctree):
    """Where a picture's source is a chapter, take that of its figures whose description
    begins like the picture's, and make it small.
    """
    for image in doctree.findall(nodes.image):
        if not image["uri"].endswith(".ipynb"):
            continue
        chapter = Path(app.srcdir, image["uri"])
        app.env.note_dependency(str(chapter))
        # beside the pages, as the figures of chapters
        folder = Path(app.outdir).parent / "cards"
        folder.mkdir(exist_ok=True)
        small = folder / f"{chapter.stem}.jpg"
        small_picture(figure_of(chapter, image["alt"])).save(small, quality=75)
        image["uri"] = f"/{Path(os.path.relpath(small, app.srcdir)).as_posix()}"
        image["loading"] = "lazy"


def figure_of(chapter, description):
    """The figure of a notebook whose description begins like that: an image.

    Raises:
        ValueError: a chapter that has none.
    """
    for cell in json.loads(chapter.read_text(encoding="utf-8"))["cells"]:
        shown = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
        if not shown.startswith(description):
            continue
        for output in cell["outputs"]:
            for kind in ("image/png", "image/jpeg"):
                if kind in output.get("data", {}):
                    data = base64.b64decode("".join(output["data"][kind]))
                    return Image.open(io.BytesIO(data)).convert("RGB")
    raise ValueError(f"no figure of {chapter.name} is described as {description!r}")


def small_picture(figure):
    """The upper left of a figure, as much as fills a card: an image."""
    wide, high = CARD_SIZE
    scale = max(wide / figure.width, high / figure.height)
    size = round(figure.width * scale), round(figure.height * scale)
    return figure.resize(size).crop((0, 0, wide, high))


def setup(app):
    """What Sphinx calls."""
    for name in ("sphinxext.opengraph", "sphinx_sitemap", "notfound.extension"):
        app.setup_extension(name)
    sphinx.search.IndexBuilder = Index
    app.connect("config-inited", settle, priority=100)
    # before the collectors of pictures and of the index
    app.connect("doctree-read", add_words, priority=100)
    app.connect("doctree-read", add_pictures, priority=100)
    app.connect("html-page-context", describe, priority=100)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

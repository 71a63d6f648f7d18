"""Where links to chapters lead: into the kit, or to the course where it has not that.

A chapter that a text names by its number alone gets a link, too.
"""

import functools
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(
    r"\[((?:[^][]|\[[^][]*\])*)\]\((?:\.\./)?(?:chapters/)?((\d\d_[a-z_]+)\.(?:ipynb|md))(?:#([^)]*))?\)"
    r"(?=(?:, exercise (\d+))?)"
)
# not in a link's words, in code, or in HTML
NAMED = re.compile(
    r"(?s:```.*?```)|`[^`\n]*`|<summary>.*?</summary>|\[[^\[\]]*\]\([^)]*\)"
    r"|\b([Cc]hapters? (\d\d))\b"
)
NOBODY = "https://github.com/OWNER/"  # how the address of nobody's course begins
IN_COLAB = re.compile(r'if "google\.colab" in sys\.modules:.*\n +%pip install .*\n')


def address():
    """Where the course's files lie on the web; None while the address is nobody's."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    repository = settings["repository"]
    if repository["url"].startswith(NOBODY):
        return None
    return f"{repository['url']}/blob/{repository['branch']}"


def linked(text, kit, folder=""):
    """A text whose links to what is not in the kit lead to the course's address.

    Where that is nobody's, their words stay alone.

    Args:
        text: Markdown of a chapter, or of a page beside the folder `chapters`.
        kit: dict from each chapter of the kit to what is there of it, as `cuts.there`
            gives it.
        folder: from the page to the chapters, as in "chapters/".
    """
    course, files = address(), _files()

    def target(link):
        words, file, name, anchor, exercise = link.groups()
        if name in kit and _is_there(kit[name], anchor, exercise):
            return link[0]
        if course is None:
            return words
        where = f"#{anchor}" if anchor else ""
        return f"[{words}]({course}/chapters/{file}{where})"

    def named(found):
        words, number = found.groups()
        return f"[{words}]({folder}{files[number]})" if number in files else found[0]

    return LINK.sub(target, NAMED.sub(named, text))


def installing(source):
    """A cell's code, without what installs the package in Colab from no address."""
    return source if address() else IN_COLAB.sub("", source)


@functools.cache
def _files():
    """The files of the course's chapters by their numbers."""
    files = (ROOT / "chapters").glob("[0-9]*.*")
    return {path.stem[:2]: path.name for path in files}


def anchor_of(heading):
    """What a heading is called in an address, as in "how-sharp"."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _is_there(present, anchor, exercise):
    anchors = {anchor_of(heading) for heading in present}
    return (not anchor or anchor in anchors) and (
        not exercise or f"exercise {exercise}" in present
    )

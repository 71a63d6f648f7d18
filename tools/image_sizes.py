"""Tell each picture's width and height to the browser, so that no text moves when the
picture arrives.

`jupyter-book build` does it: this file is an extension of Sphinx, named in
`_config.yml`. Pictures whose page says a width keep it.
"""

import re
from pathlib import Path

from sphinx.util.images import get_image_size

PICTURE = re.compile(
    r'<img (?![^>]*\s(?:width|height)=)(?=[^>]*\ssrc="(?:\.\./)*_images/([^"]+)")'
)


def with_sizes(body, sources):
    """HTML, in which each picture without a size has that of its file.

    Args:
        body: the HTML of a page.
        sources: {name in _images: path of the file}.
    """

    def tag(found):
        size = get_image_size(sources[found[1]]) if found[1] in sources else None
        return f'<img width="{size[0]}" height="{size[1]}" ' if size else found[0]

    return PICTURE.sub(tag, body)


def setup(app):
    """What Sphinx calls."""

    def page(app, name, template, context, doctree):
        if "body" in context and hasattr(app.builder, "images"):
            sources = {
                name: str(Path(app.srcdir, source))
                for source, name in app.builder.images.items()
            }
            context["body"] = with_sizes(context["body"], sources)

    app.connect("html-page-context", page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

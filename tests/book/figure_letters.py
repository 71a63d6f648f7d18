"""How high the letters of a figure are on a page: of one that is drawn, by looking at
it; of one that a notebook draws, from the source of its cells.
"""

import ast
import io
from dataclasses import dataclass, field, replace

import matplotlib
from matplotlib.font_manager import font_scalings
from matplotlib.text import Text
from PIL import Image

from patchconvnet import plotting
from patchconvnet.plotting.style import COLUMN, FOLDED_COLUMN, height_on_page

# === a figure in hand ===


def kept_width(figure):
    """Pixels from edge to edge, as plotting/notebook.py keeps a figure."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=figure.dpi, bbox_inches="tight")
    with Image.open(drawn) as picture:
        return picture.width


def smallest_letters(figure, column=FOLDED_COLUMN):
    """The smallest letters of a figure: their height on the page, and the words."""
    width = kept_width(figure)  # it also makes the labels of ticks
    bare = [axis for axis in figure.axes if not axis.axison]
    unseen = [one for axis in bare for part in (axis.xaxis, axis.yaxis)
              for one in part.findobj(Text)]  # fmt: skip
    seen = [
        (height_on_page(text.get_fontsize(), width, figure.dpi, column), text)
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in unseen
    ]
    height, text = min(seen, key=lambda one: one[0], default=(float("inf"), None))
    return height, text and text.get_text()


# === a figure from its source ===


SIZES = ("fontsize", "size", "labelsize", "title_fontsize")
# what writes words, and the setting that says how large if nothing else does
WORDS = {
    "set_title": "axes.titlesize",
    "title": "axes.titlesize",
    "suptitle": "figure.titlesize",
    "set_xlabel": "axes.labelsize",
    "set_ylabel": "axes.labelsize",
    "xlabel": "axes.labelsize",
    "ylabel": "axes.labelsize",
    "supxlabel": "figure.labelsize",
    "supylabel": "figure.labelsize",
    "text": "font.size",
    "annotate": "font.size",
    "bar_label": "font.size",
    "legend": "legend.fontsize",
}
OPENS = ("plt.subplots", "plt.figure", "plt.subplot_mosaic")
TICKS = ("xtick.labelsize", "ytick.labelsize")
TICK_CALLS = ("tick_params", "set_xticks", "set_yticks", "xticks", "yticks",
              "set_xticklabels", "set_yticklabels")  # fmt: skip


@dataclass
class State:
    """What earlier cells of a notebook have said."""

    settings: dict = field(default_factory=lambda: dict(matplotlib.rcParamsDefault))
    defined: dict = field(default_factory=dict)  # name to the statement

    def value(self, node):
        """What an expression stands for. Raises if that cannot be seen."""
        names = {"plotting": plotting, "STYLE": plotting.STYLE}
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and isinstance(
                known := self.defined.get(one.id), ast.Assign
            ):
                names[one.id] = self.value(known.value)
        code = compile(ast.fix_missing_locations(ast.Expression(node)), "cell", "eval")
        return eval(code, {"__builtins__": {}}, names)

    def points(self, size):
        """Points of a size that may be a word, such as "small"."""
        if size in font_scalings:
            return self.settings["font.size"] * font_scalings[size]
        return float(size)


def called(node):
    """The last name of what is called: "text" of `axis.text(...)`."""
    function = node.func
    return getattr(function, "attr", getattr(function, "id", ""))


def with_what_it_uses(tree, state):
    """All nodes of a cell and of the functions and values that it uses by name."""
    nodes, names = [], set()
    waiting = [tree]
    while waiting:
        for node in ast.walk(waiting.pop()):
            nodes.append(node)
            name = getattr(node, "id", None)
            if name in state.defined and name not in names:
                names.add(name)
                waiting.append(state.defined[name])
    return nodes


def with_settings(nodes, state):
    """The state with what `rcParams` and `rc_context` are given: that of the former
    stays, that of the latter is for this cell alone.
    """
    here = {}
    for node in nodes:
        if isinstance(node, ast.Call) and node.args:
            about = ast.unparse(node.func)
            if about.endswith("rcParams.update"):
                state.settings.update(state.value(node.args[0]))
            elif about.endswith("rc_context"):
                here.update(state.value(node.args[0]))
        elif isinstance(node, ast.Assign) and isinstance(
            place := node.targets[0], ast.Subscript
        ):
            if ast.unparse(place.value).endswith("rcParams"):
                state.settings[state.value(place.slice)] = state.value(node.value)
    return replace(state, settings=state.settings | here)


def given_sizes(nodes, state):
    """Every size that is written down, in points."""
    for node in nodes:
        pairs = []
        if isinstance(node, ast.Call):
            about = called(node)
            pairs = [
                (word.arg, word.value)
                for word in node.keywords
                if word.arg != "size" or about in WORDS or about in TICK_CALLS
            ]
        elif isinstance(node, ast.Dict):
            pairs = [
                (key.value, value)
                for key, value in zip(node.keys, node.values)
                if isinstance(key, ast.Constant)
            ]
        for name, value in pairs:
            if name in SIZES:
                yield from sizes_of(value, state)


def sizes_of(node, state):
    if isinstance(node, ast.IfExp):
        return [*sizes_of(node.body, state), *sizes_of(node.orelse, state)]
    try:
        return [state.points(state.value(node))]
    except Exception as error:
        raise AssertionError(
            f"write the size of letters as a number: {ast.unparse(node)}"
        ) from error


def says_size(node, state):
    """Whether a call is given a size, maybe in a dict of options."""
    for word in node.keywords:
        options = {word.arg}
        if word.arg is None:
            try:
                options = set(state.value(word.value))
            except Exception:  # not to be seen from here
                options = set()
        if options & {*SIZES, "prop"}:
            return True
    return False


def usual_sizes(nodes, state):
    """The sizes of words of which none is written down, in points."""
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    settings = set()
    for node in calls:
        name = called(node)
        if name in WORDS and not says_size(node, state):
            settings.add(WORDS[name])
        options = {word.arg for word in node.keywords}
        if name == "set" and options & {"xlabel", "ylabel"}:
            settings.add("axes.labelsize")
        if name == "set" and "title" in options:
            settings.add("axes.titlesize")
        if name == "colorbar" and "label" in options:
            settings.add("axes.labelsize")
    sized = any(called(node) in TICK_CALLS and says_size(node, state) for node in calls)
    if not sized and not without_ticks(calls):
        settings.update(TICKS)
    return [state.points(state.settings[name]) for name in settings]


def without_ticks(calls):
    """Whether axes are told to have none. A colour bar has them in any case."""
    written = [ast.unparse(node) for node in calls]
    if any(called(node) == "colorbar" for node in calls):
        return False
    hidden = "axis('off')", "set_axis_off()", "ticks([])", "ticks=[]", "ticks=()"
    return any(way in one for one in written for way in hidden)


def opened(nodes):
    """The calls that open a figure of the cell's own."""
    return [
        node
        for node in nodes
        if isinstance(node, ast.Call)
        and ast.unparse(node.func)
        in ("plt.subplots", "plt.figure", "plt.subplot_mosaic")
    ]


def width_of(calls, cell, state):
    """Pixels from edge to edge: as asked for, or more if more was kept."""
    usual = ast.Constant(state.settings["figure.figsize"])
    inches = []
    for node in calls:
        size = next((w.value for w in node.keywords if w.arg == "figsize"), usual)
        try:
            inches.append(state.value(size)[0])
        except Exception:  # not to be seen from here: what was kept says it
            inches.append(0)
    kept = [
        about.get("width", 0)
        for output in cell.get("outputs", [])
        for about in output.get("metadata", {}).values()
        if isinstance(about, dict)
    ]
    width = max([state.settings["figure.dpi"] * max(inches), *kept])
    assert width, f"{cell['id']}: how wide is the figure? Write figsize as numbers."
    return width


def python_of(cell):
    """A cell's tree, without the lines that are IPython's."""
    lines = "".join(cell["source"]).splitlines()
    own = [line.lstrip().startswith(("%", "!")) for line in lines]
    return ast.parse(
        "\n".join(
            line.replace(line.lstrip(), "pass") if magic else line
            for line, magic in zip(lines, own)
        )
    )


def heights(notebook):
    """Of every figure that a notebook draws itself: the cell's id, the points of its
    smallest letters, and their height on the page in pixels.
    """
    state, found = State(), []
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        tree = python_of(cell)
        nodes = with_what_it_uses(tree, state)
        here = with_settings(nodes, state)
        remember(tree, state)
        if (calls := opened(nodes)) and has_figure(cell):
            sizes = [*given_sizes(nodes, here), *usual_sizes(nodes, here)]
            points = min(sizes, default=float("inf"))
            folded = {"hide-cell", "hide-output"} & {*cell["metadata"].get("tags", ())}
            column = FOLDED_COLUMN if folded else COLUMN
            width, dpi = width_of(calls, cell, here), here.settings["figure.dpi"]
            height = height_on_page(points, width, dpi, column)
            found.append((cell["id"], round(points, 1), round(height, 1)))
    return found


def has_figure(cell):
    """Whether a picture came out of a cell; or nothing has come out of it yet."""
    outputs = cell.get("outputs", [])
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    return not outputs or bool({"image/png", "image/jpeg"} & kinds)


def remember(tree, state):
    """Functions and values that later cells may use."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            state.defined[node.name] = node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    state.defined[target.id] = node

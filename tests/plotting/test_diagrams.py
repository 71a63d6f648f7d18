"""Diagrams of parts: what they say, and that nothing lies over anything else."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from patchconvnet import PatchConvNet, plotting
from patchconvnet.plotting.style import BLUE, GREY, ORANGE

DIAGRAMS = {
    "block": plotting.block_diagram,
    "squeeze and excite": plotting.squeeze_excite_diagram,
    "pooling": plotting.pooling_diagram,
    "network": plotting.network_diagram,
}
every_diagram = pytest.mark.parametrize("name", DIAGRAMS)


class Seen:
    """Boxes, words, signs, rows of cells and arrows of a diagram, in pixels."""

    def __init__(self, canvas):
        canvas.canvas.draw()
        (axis,) = canvas.axes
        self.whole, self.inches = canvas.bbox, canvas.get_size_inches()
        self.dpi = canvas.dpi
        kinds = {
            kind: [patch for patch in axis.patches if isinstance(patch, kind)]
            for kind in (FancyBboxPatch, FancyArrowPatch, Circle, Rectangle)
        }
        self.box_patches, self.arrow_patches = (
            kinds[FancyBboxPatch],
            kinds[FancyArrowPatch],
        )
        self.boxes, self.signs, self.cells = (
            [patch.get_window_extent() for patch in kinds[kind]]
            for kind in (FancyBboxPatch, Circle, Rectangle)
        )
        self.words = {
            (text.get_text(), index): text.get_window_extent()
            for index, text in enumerate(axis.texts)
            if text.get_text()
        }
        self.arrows = [self.way(arrow, axis) for arrow in self.arrow_patches]

    @staticmethod
    def way(arrow, axis):
        """The corners of an arrow, from its start to its end."""
        if arrow._posA_posB is not None:
            return axis.transData.transform(arrow._posA_posB)
        return axis.transData.transform(arrow._path_original.vertices)

    def within(self, box):
        """The words whose middle lies in a box."""
        return [
            text
            for (text, _), place in self.words.items()
            if box.contains(*middle(place))
        ]

    def labels(self):
        """The words in each box, from the top down, then from left to right."""
        order = sorted(self.boxes, key=lambda box: (-round(box.y1), box.x0))
        return [text for box in order for text in self.within(box)]


def middle(box):
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2


def over(one, other, least=0.5):
    """Whether two boxes share more than an edge."""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    up = min(one.y1, other.y1) - max(one.y0, other.y0)
    return across > least and up > least


def inside(one, other):
    return (
        other.x0 <= one.x0
        and one.x1 <= other.x1
        and other.y0 <= one.y0
        and one.y1 <= other.y1
    )


def points_along(way, step=1.0):
    """Points of an arrow, a pixel apart."""
    for start, end in zip(way, way[1:]):
        count = max(2, int(np.hypot(*(end - start)) / step))
        yield from start + (end - start) * np.linspace(0, 1, count)[:, None]


def ends_at(point, boxes, near=6):
    """Whether a point lies on the edge of one of these."""
    return any(
        box.x0 - near <= point[0] <= box.x1 + near
        and box.y0 - near <= point[1] <= box.y1 + near
        for box in boxes
    )


@pytest.fixture
def seen(monkeypatch):
    def look(name):
        found = []
        monkeypatch.setattr(plt, "show", lambda: found.append(Seen(plt.gcf())))
        DIAGRAMS[name]()
        return found[0]

    return look


@every_diagram
def test_a_diagram_is_narrow_enough_for_a_phone(seen, name):
    diagram = seen(name)
    assert diagram.inches[0] <= 6.8 and diagram.dpi == 110
    # of a page 390 pixels wide, 342 are a figure's
    smallest = 10 if name == "network" else 11
    least = 7.9 if name == "network" else 9.9
    assert smallest * 110 / 72 * 342 / (diagram.inches[0] * 110) >= least


@every_diagram
def test_nothing_lies_over_anything_else(seen, name):
    diagram = seen(name)
    things = diagram.boxes + diagram.signs + diagram.cells
    assert not [pair for pair in combinations(things, 2) if over(*pair)]
    words = list(diagram.words.values())
    assert not [pair for pair in combinations(words, 2) if over(*pair)]
    for (text, _), place in diagram.words.items():
        homes = [thing for thing in things if over(place, thing)]
        assert all(inside(place, home) for home in homes) and len(homes) <= 1, text
        assert inside(place, diagram.whole), text
    assert all(inside(thing, diagram.whole) for thing in things)


@every_diagram
def test_arrows_lead_from_one_thing_to_another_and_cross_none(seen, name):
    diagram = seen(name)
    things = diagram.boxes + diagram.signs + diagram.cells
    words = list(diagram.words.values())
    ways = [list(points_along(way)) for way in diagram.arrows]
    for index, way in enumerate(ways):
        others = [point for other in ways if other is not way for point in other]
        # at its start another arrow, where lines part
        assert ends_at(way[0], things) or (
            np.hypot(*(np.array(others) - way[0]).T).min() < 2
        )
        assert ends_at(way[-1], things + words)
        for thing in things + words:
            within = [
                point
                for point in way
                if thing.x0 + 3 < point[0] < thing.x1 - 3
                and thing.y0 + 3 < point[1] < thing.y1 - 3
            ]
            assert not within, f"arrow {index}"


# === what they say ===


def test_a_block_is_drawn_as_it_is_built(seen):
    diagram = seen("block")
    assert diagram.labels() == [
        "input, 8 x 8 x 64",
        "batch normalization",
        "1 x 1 convolution, GELU",
        "3 x 3 convolution, GELU",
        "squeeze-and-excitation",
        "1 x 1 convolution",
        "layer scale",
        "output, 8 x 8 x 64",
    ]
    dashed = [
        diagram.within(patch.get_window_extent())
        for patch in diagram.box_patches
        if to_hex(patch.get_edgecolor()) == GREY
    ]
    # the last stands before "other presets add it"
    assert dashed == [["squeeze-and-excitation"], ["layer scale"], []]
    (straight,) = [
        way
        for way, arrow in zip(diagram.arrows, diagram.arrow_patches)
        if to_hex(arrow.get_edgecolor()) == ORANGE.lower()
    ]
    assert len(diagram.signs) == 1 and ends_at(straight[-1], diagram.signs)
    network = PatchConvNet.from_preset("shapes")
    block = network.get_layer("trunk").blocks[0]
    assert network.get_layer("trunk").compute_output_shape((1, 8, 8, 64))[1:] == (
        8, 8, 64
    )  # fmt: skip
    assert block.config.norm == "batch" and block.config.spatial == "dense"
    assert block.config.se_ratio is None and block.config.layer_scale is None
    assert block.mix_in.kernel_size == block.mix_out.kernel_size == (1, 1)
    assert block.look_around.kernel_size == (3, 3)


def test_squeeze_and_excitation_has_its_three_steps(seen):
    diagram = seen("squeeze and excite")
    assert diagram.labels() == [
        "input\nH x W x C",
        "squeeze\nmean over the grid",
        "excite\ndense to C / ratio, ReLU",
        "excite\ndense to C, sigmoid",
        "output\nH x W x C",
    ]
    beside = [text for (text, _) in diagram.words if text not in diagram.labels()]
    assert beside == [
        "scale: each channel times its gate",
        "8 x 8 x 64",
        "64 means",
        "64 / 8 = 8 numbers",
        "64 gates, 0 to 1",
        "8 x 8 x 64",
    ]
    # a grid a channel, a mean, one number of eight, a gate, a grid
    rows = [round(cells.y0) for cells in diagram.cells]
    assert [rows.count(row) for row in dict.fromkeys(rows)] == [8, 8, 1, 8, 8]
    (chosen,) = [
        diagram.within(patch.get_window_extent())
        for patch in diagram.box_patches
        if to_hex(patch.get_edgecolor()) == ORANGE.lower()
    ]
    assert chosen == ["excite\ndense to C, sigmoid"]


def test_means_are_those_of_the_grids_and_gates_turn_them_down(monkeypatch):
    shares = []

    def look():
        (axis,) = plt.gcf().axes
        shares.extend(np.asarray(mesh.get_array()) for mesh in axis.collections)

    monkeypatch.setattr(plt, "show", look)
    plotting.squeeze_excite_diagram()
    grids, means, gates, scaled = (
        np.array(shares[at : at + 8]).reshape(8, -1) for at in (0, 8, 17, 25)
    )
    assert grids.shape == scaled.shape == (8, 64)
    assert means[:, 0] == pytest.approx(grids.mean(axis=1))
    assert scaled == pytest.approx(grids * gates)


def test_pooling_is_drawn_as_it_is_computed(seen):
    diagram = seen("pooling")
    assert diagram.labels() == [
        "layer norm of the line, 65 x 64",
        "query\nof the token\n1 x 64",
        "keys\nof the line\n65 x 64",
        "values\nof the line\n65 x 64",
        "scores: query · keys / √64",
        "softmax: 1 x 65 weights",
        "weighted sum of values\n1 x 64",
        "project",
        "layer norm, MLP",
        "to the head, 1 x 64",
    ]
    assert len(diagram.signs) == 2
    beside = [text for (text, _) in diagram.words if text not in diagram.labels()]
    assert beside == [
        "class token\n1 x 64", "patches\n64 x 64", "map, 8 x 8", "the token"
    ]  # fmt: skip


def test_the_map_is_the_patches_part_of_the_weights(monkeypatch):
    found = {}

    def look():
        (axis,) = plt.gcf().axes
        for mesh, frame in zip(
            axis.collections, [one for one in axis.patches if type(one) is Rectangle]
        ):
            colour = to_hex(frame.get_edgecolor())
            found.setdefault(colour, []).append(np.asarray(mesh.get_array()))

    monkeypatch.setattr(plt, "show", look)
    plotting.pooling_diagram()
    weights, shown = found[ORANGE.lower()]
    assert weights.size == 64 and shown.shape == (8, 8)
    assert weights.ravel() == pytest.approx(shown.ravel())
    (patches,) = found[BLUE.lower()]
    token, its_weight = found[GREY]
    assert patches.size == 64 and token.size == its_weight.size == 1


def test_a_diagram_with_a_fault_is_seen():
    """A word that is wider than its box, and two boxes that lie over each other."""
    from patchconvnet.plotting import boxes

    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", lambda: found.append(Seen(plt.gcf())))
        with boxes.sheet(None, (4, 2)) as axis:
            boxes.box(axis, 1, 0.5, 0.5, 0.5, "far too wide a word")
            boxes.box(axis, 1.2, 0.8, 0.5, 0.5, "b")
    (diagram,) = found
    assert over(*diagram.boxes)
    (first, _) = diagram.words.values()
    assert over(first, diagram.boxes[0]) and not inside(first, diagram.boxes[0])

"""What stands in each figure of numbers, and where; and the look of them all."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from patchconvnet import plotting
from patchconvnet.plotting.style import BLUE, GREEN, GREY, ORANGE, figure

EPOCHS = np.array([1, 2, 3])
HISTORY = {
    "epoch": EPOCHS,
    "loss": np.array([2.0, 1.0, 0.5]),
    "val_loss": np.array([2.1, 1.2, 0.7]),
    "accuracy": np.array([0.2, 0.5, 0.8]),
    "val_accuracy": np.array([0.25, 0.4, 0.7]),
    "attention_on_object": np.array([0.3, 0.6, 0.9]),
    "attention_entropy": np.array([5.5, 2.0, 3.0]),
}


def whole(ticks):
    return len(ticks) > 1 and all(tick == round(tick) for tick in ticks)


def assert_line(panel, name, y, colour, style=None, marker=None, x=EPOCHS):
    line = panel.lines[name]
    assert (line.x, line.y, line.look[0]) == (list(x), list(y), colour)
    assert style is None or line.look[1:] == (style, marker)


def test_history_draws_training_beside_validation(drawn):
    loss, accuracy, attention = drawn(plotting.history, HISTORY, 0.15)
    for panel, name, title in (
        (loss, "loss", "cross-entropy"),
        (accuracy, "accuracy", "accuracy"),
    ):
        assert_line(panel, "training", HISTORY[name], ORANGE, "--", "o")
        assert_line(panel, "validation", HISTORY[f"val_{name}"], BLUE, "-", "s")
        assert panel.title == title and panel.legend == ["training", "validation"]
    assert_line(attention, "validation", HISTORY["attention_on_object"], BLUE, "-", "s")
    assert_line(attention, "chance", [0.15, 0.15], GREY, ":", "None", x=[0, 1])
    assert attention.title == "attention on the object" and attention.legend == [
        "validation",
        "chance",
    ]
    for panel in (loss, accuracy, attention):
        assert (
            panel.labels[0] == "epoch"
            and whole(panel.ticks[0])
            and panel.view[:2] == pytest.approx((0.7, 3.3))
        )
        assert panel.framed is False
    assert (
        loss.view[2] == 0
        and loss.view[3] > 2.1
        and accuracy.view[2:] == attention.view[2:] == (0, 1.02)
    )


def test_history_leaves_out_what_was_not_measured(drawn):
    panels = drawn(
        plotting.history,
        {key: HISTORY[key] for key in ("epoch", "loss", "accuracy")},
        0.15,
    )
    assert [list(panel.lines) for panel in panels] == [["training"]] * 2
    # no chance is given
    assert list(drawn(plotting.history, HISTORY)[2].lines) == ["validation"]
    assert list(drawn(plotting.history, HISTORY, 0.0)[2].lines) == [
        "validation",
        "chance",
    ]


def test_evolution_draws_shares_above_and_bits_below(drawn):
    shares, bits = drawn(plotting.evolution, HISTORY, 6.0, 0.15)
    assert_line(shares, "accuracy", HISTORY["val_accuracy"], BLUE, "-", "s")
    assert_line(
        shares,
        "attention on the object",
        HISTORY["attention_on_object"],
        ORANGE,
        "--",
        "o",
    )
    assert_line(
        shares, "a random cell on the object", [0.15, 0.15], GREY, ":", "None", x=[0, 1]
    )
    assert_line(
        bits, "entropy of attention", HISTORY["attention_entropy"], GREEN, "-", "^"
    )
    assert_line(bits, "equal weights", [6.0, 6.0], GREY, ":", "None", x=[0, 1])
    assert (
        shares.legend == list(shares.lines)
        and bits.legend == list(bits.lines)
        and shares.framed
        and bits.framed
    )
    assert shares.labels[1] == "share of images" and bits.labels == ("epoch", "bits")
    assert shares.view == pytest.approx((0.7, 3.3, 0, 1.02)) and bits.view[
        :3
    ] == pytest.approx((0.7, 3.3, 0))
    assert bits.view[3] > 6 and whole(bits.ticks[0])
    # the axis is shared: epochs stand below
    assert shares.names[0] == [""] * len(shares.names[0])


def test_evolution_leaves_out_what_was_not_measured(drawn):
    shares, bits = drawn(
        plotting.evolution, {"epoch": EPOCHS, "val_accuracy": HISTORY["val_accuracy"]}
    )
    assert (
        list(shares.lines) == shares.legend == ["accuracy"]
        and bits.lines == {}
        and bits.legend is None
    )
    shares, bits = drawn(plotting.evolution, {"epoch": EPOCHS}, 0.0, 0.0)
    assert list(shares.lines) == ["a random cell on the object"] and list(
        bits.lines
    ) == ["equal weights"]


def test_confusion_has_true_classes_in_rows_and_is_legible(drawn):
    labels, predictions = (
        [0] * 10 + [1] * 4 + [2] * 400,
        [0] * 4
        + [1] * 6
        + [
            1,
            1,
            0,
            0,
        ]
        + [2] * 399
        + [0],
    )
    (panel,) = drawn(
        plotting.confusion, labels, predictions, ["a", "b", "c", "never seen"]
    )
    wanted = np.array(
        [[40, 60, 0, 0], [50, 50, 0, 0], [0.25, 0, 99.75, 0], [0, 0, 0, 0]]
    )
    np.testing.assert_array_equal(panel.images[0][0], wanted)
    assert panel.ranges == [(0, 100)]
    # at column, row
    assert panel.texts == [
        ("40", 0, 0),
        ("60", 1, 0),
        ("50", 0, 1),
        ("50", 1, 1),
        ("100", 2, 2),
    ]
    # white on dark blue
    assert panel.inks == ["#000000", "#ffffff", "#000000", "#000000", "#ffffff"]
    assert (
        panel.ticks == ([0, 1, 2, 3],) * 2
        and panel.names == (["a", "b", "c", "never seen"],) * 2
    )
    assert (
        panel.labels == ("predicted class", "true class")
        and panel.title == "percent of each true class"
    )


def test_half_a_percent_is_written(drawn):
    (panel,) = drawn(
        plotting.confusion, [0] * 200 + [1], [0] * 199 + [1] + [1], ["a", "b"]
    )
    assert panel.texts == [("100", 0, 0), ("0", 1, 0), ("100", 1, 1)]


def test_a_curve_draws_each_line_in_its_own_look(drawn):
    lines = {"one": [1, 3], "two": [2, 5], "three": [0, 1], "four": [9, 8]}
    (panel,) = drawn(plotting.curve, [1, 2], lines, "step", "rate")
    for (name, values), look in zip(
        lines.items(), ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (GREY, ":"))
    ):
        assert_line(panel, name, values, look[0], look[1], "None", x=[1, 2])
    assert (
        panel.labels == ("step", "rate")
        and panel.legend == list(lines)
        and panel.framed
    )
    (panel,) = drawn(plotting.curve, [1, 2], {"one": [1, 3]}, "step", "rate", True)
    assert panel.legend is None and panel.lines["one"].look == (BLUE, "-", "o")


@pytest.mark.parametrize(
    ("x", "are_whole"),
    [([1, 2], True), (np.array([1, 2, 3]), True), ([1.0, 2.0], False)],
)
def test_whole_numbers_have_whole_ticks(drawn, x, are_whole):
    assert (
        whole(drawn(plotting.curve, x, {"one": range(len(x))}, "x", "y")[0].ticks[0])
        is are_whole
    )


@pytest.mark.parametrize("count", [0, 5])
def test_one_to_four_lines_have_a_look(count):
    with pytest.raises(ValueError, match=f"one to 4 lines, got {count}"):
        plotting.curve(
            [1, 2], {str(number): [1, 2] for number in range(count)}, "x", "y"
        )


# === the network ===


PARTS = {
    "image": "image\n32 x 32 x 3",
    "stem": "stem\n8 x 8 x 64",
    "trunk": "trunk\n8 x 8 x 64",
    "attention_pooling": "attention\npooling\n1 x 64",
    "head": "head\n10 logits",
}


@pytest.mark.parametrize("part", [None, *PARTS, "squeeze_excite"])
def test_the_network_is_a_row_of_boxes_with_arrows_between_and_one_stands_out(
    drawn, part
):
    (panel,) = drawn(plotting.network_diagram, part)
    assert panel.bare and [
        text[0] for text in panel.texts if text[0] in PARTS.values()
    ] == list(PARTS.values())
    boxes = [
        (patch, place)
        for patch, place in zip(panel.patches, panel.boxes)
        if hasattr(patch, "get_boxstyle")
    ]
    arrows = [patch for patch in panel.patches if not hasattr(patch, "get_boxstyle")]
    assert len(boxes) == 5 and len(arrows) == 5
    words = [text for text in panel.texts if text[0] in PARTS.values()]
    for (name, label), (patch, (left, low, right, high)), (_, x, y) in zip(
        PARTS.items(), boxes, words
    ):
        chosen = name == part
        # each word in its box
        assert (x, y) == pytest.approx(((left + right) / 2, (low + high) / 2), abs=0.02)
        assert (
            to_hex(patch.get_edgecolor()) == (ORANGE if chosen else BLUE).lower()
            and (label in panel.bold) is chosen
        )
        assert (
            panel.view[0] <= left < right <= panel.view[1]
            and panel.view[2] <= low < high <= panel.view[3]
        )
    ends = [arrow._posA_posB for arrow in arrows]
    middles = [(place[1] + place[3]) / 2 for _, place in boxes]
    for (start, end), (_, before), (_, after) in zip(ends, boxes, boxes[1:]):
        assert (*start, *end) == pytest.approx(
            (before[2], middles[0], after[0], middles[0]), abs=0.05
        )
    (x, low), (same_x, high) = ends[4]
    pooling = boxes[3][1]
    assert x == same_x == pytest.approx((pooling[0] + pooling[2]) / 2, abs=0.02)
    assert low == pytest.approx(pooling[3], abs=0.05) and high > low
    *_, (last, last_x, last_y) = panel.texts
    assert last == "attention map\n8 x 8" and last_x == x and last_y > high
    notes = [text for text in panel.texts if text[0] not in (*PARTS.values(), last)]
    trunk = boxes[2][1]
    # the preset of the figure does without
    note = ["in each block: squeeze-and-excitation"]
    assert [text[0] for text in notes] == (note if part == "squeeze_excite" else [])
    assert all(
        x == pytest.approx((trunk[0] + trunk[2]) / 2, abs=0.02) and y < trunk[1]
        for _, x, y in notes
    )


# === the look ===


ANOTHER_LOOK = {
    "figure.facecolor": "black", "savefig.facecolor": "black", "figure.dpi": 40,
    "font.size": 30, "axes.titlesize": 40, "axes.spines.top": True,
    "axes.spines.right": True, "lines.linewidth": 9, "text.parse_math": True,
}  # fmt: skip


def look_of(save_to):
    with figure(save_to, 1, 2) as (canvas, axes):
        axes[0, 0].plot([1, 2])
        axes[0, 0].set_title("costs $5 or $6")
        axes[0, 1].text(0, 0, "a word")
        sizes = (
            axes[0, 0].title.get_fontsize(),
            axes[0, 1].texts[0].get_fontsize(),
            axes[0, 0].lines[0].get_linewidth(),
        )
        spines = {
            side for side, spine in axes[0, 0].spines.items() if spine.get_visible()
        }
        found = (
            sizes,
            canvas.get_dpi(),
            to_hex(canvas.get_facecolor()),
            spines,
            axes[0, 0].title.get_parse_math(),
        )
    with Image.open(save_to) as picture:
        return *found, picture.size, picture.convert("RGB").getpixel((0, 0))


def test_a_figure_looks_the_same_whatever_the_reader_has_chosen(tmp_path):
    usual = look_of(tmp_path / "usual.png")
    with plt.rc_context(ANOTHER_LOOK):
        assert look_of(tmp_path / "other.png") == usual
    assert (
        usual[2] == "#ffffff" and usual[3] == {"left", "bottom"} and usual[4] is False
    )
    assert usual[6] == (255, 255, 255)


def test_letters_that_the_font_lacks_are_no_warning_and_other_warnings_stay(
    tmp_path, recwarn
):
    with figure(tmp_path / "a.png") as (_, axes):
        axes[0, 0].set_title("\N{CJK UNIFIED IDEOGRAPH-732B}")
        warnings.warn("something else", stacklevel=1)
    assert [str(warning.message) for warning in recwarn] == ["something else"]

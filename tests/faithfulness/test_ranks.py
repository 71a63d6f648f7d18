"""The order of a map's cells, where the object is as large, or as small, as can be."""

import numpy as np
import pytest

from patchconvnet import faithfulness

MEASURES = [faithfulness.rank_accuracy, faithfulness.average_precision]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("grid", [(1, 1), (1, 2), (2, 3)])
def test_an_object_that_fills_the_picture_is_found_by_every_map(measure, grid):
    maps = np.arange(2 * grid[0] * grid[1]).reshape(2, *grid)
    assert measure(maps, np.ones((2, 6, 6), bool)).tolist() == [1, 1]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("place", "found"), [(0, [1, 1]), (1, [0, 1 / 2]), (5, [0, 1 / 6])]
)
def test_an_object_of_one_cell_is_found_where_it_is_in_the_order(measure, place, found):
    mask = np.zeros((1, 2, 3), bool)
    mask.reshape(-1)[place] = True
    wanted = found[MEASURES.index(measure)]
    assert measure(np.array([[[6, 5, 4], [3, 2, 1]]]), mask) == pytest.approx([wanted])


@pytest.mark.parametrize(
    ("values", "wanted"), [([5, 5, 1], 1 / 2), ([5, 5, 5], 1 / 3), ([6, 5, 5], 0)]
)
def test_equals_of_the_last_place_share_it(values, wanted):
    """The object is the second of three cells: one place to be shared by as many as
    have the greatest value.
    """
    mask = np.array([[[False, True, False]]])
    assert faithfulness.rank_accuracy(np.array([[values]]), mask) == pytest.approx(
        [wanted]
    )

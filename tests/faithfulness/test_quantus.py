"""Our measures held against a library's: Quantus (Hedström et al., 2023).

It scores pixels, and knows no cells that are object in part; so the masks here have the
size of the maps. It is optional, and large: pip install -r requirements-quantus.txt
"""

import numpy as np
import pytest

from patchconvnet import faithfulness

quantus = pytest.importorskip(
    "quantus", reason="pip install -r requirements-quantus.txt"
)


@pytest.fixture(scope="module")
def maps_and_masks():
    dice = np.random.default_rng(5)
    maps, masks = dice.random((200, 8, 8)), dice.random((200, 8, 8)) < 0.3
    masks[:, 0, 0] = True  # none is empty
    return maps, masks


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("pointing_game", "PointingGame"),
        ("energy", "RelevanceMassAccuracy"),
        ("rank_accuracy", "RelevanceRankAccuracy"),
    ],
)
def test_a_library_gives_the_same(maps_and_masks, ours, theirs):
    maps, masks = maps_and_masks
    metric = getattr(quantus, theirs)(disable_warnings=True, display_progressbar=False)
    found = metric.evaluate_batch(a_batch=maps[:, None], s_batch=masks[:, None])
    wanted = getattr(faithfulness, ours)(maps, masks)
    np.testing.assert_allclose(np.asarray(found, "float64"), wanted, atol=1e-8)

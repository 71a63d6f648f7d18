"""`load_dataset` at the greatest numbers, with drawing made cheap."""

import numpy as np
import pytest

from patchconvnet.data import load_dataset, shapes
from patchconvnet.errors import PatchConvNetError


@pytest.fixture
def cheap(monkeypatch):
    """Drawing costs nothing: which counts and streams were asked for."""
    asked = []

    def generate(count, stream):
        asked.append((count, stream))
        images = np.broadcast_to(np.uint8(0), (count, 2, 2, 3))
        return images, np.zeros(count, int), images[..., 0] > 0

    monkeypatch.setattr(shapes, "generate", generate)
    return asked


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_part_of_shapes_has_at_most_a_million_images(cheap, part):
    sizes = {"train": 3, "val": 2, "test": 4}
    data = load_dataset("shapes", **sizes | {part: 1_000_000}, seed=7)
    counts = sizes | {part: 1_000_000}
    assert {name: len(getattr(data, f"y_{name}")) for name in sizes} == counts
    assert cheap == [
        (count, (7, stream)) for stream, count in enumerate(counts.values(), 1)
    ]
    with pytest.raises(
        PatchConvNetError,
        match=f"{part}= must be a whole number from . to 1,000,000, not 1000001",
    ):
        load_dataset("shapes", **{part: 1_000_001})


def test_of_an_empty_part_one_image_is_drawn_and_left_out(cheap):
    data = load_dataset("shapes", train=1, val=0, test=0)
    assert cheap == [(1, (0, 1)), (1, (0, 2)), (1, (0, 3))]
    assert (len(data.x_train), len(data.x_val), len(data.mask_test)) == (1, 0, 0)

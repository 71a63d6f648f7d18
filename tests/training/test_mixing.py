"""CutMix: what lies in the box, what the labels say of it, and when it happens."""

import numpy as np
import pytest

from patchconvnet.training import mixing, recipes, running


class Dice:
    """Stands for a generator: what it draws is given."""

    def __init__(self, numbers, centres, partners=None):
        self.numbers, self.centres, self.partners = (
            iter(numbers),
            iter(centres),
            partners,
        )

    def random(self):
        return next(self.numbers)

    def integers(self, size):
        centre = next(self.centres)
        assert 0 <= centre < size
        return np.int64(centre)

    def permutation(self, count):
        assert count == len(self.partners)
        return np.array(self.partners)


def plain(count, height=4, width=8):
    """Pictures of one grey each, 10, 20, ...; a class for each."""
    greys = 10 * np.arange(1, count + 1, dtype="uint8")
    images = np.tile(greys[:, None, None, None], (1, height, width, 3))
    return images, np.eye(count, dtype="float32")


def batches_of(count=40, size=4, seed=0, cutmix=0.0):
    images = np.random.default_rng(9).integers(0, 256, (count, 8, 8, 3), dtype="uint8")
    return running.Batches(images, np.arange(count) % 5, size, 5, seed, cutmix)


def all_of(batches):
    return [batches[index] for index in range(len(batches))]


def are_equal(some, others):
    return [all(map(np.array_equal, *pair)) for pair in zip(some, others, strict=True)]


# === a box, by hand ===


def test_the_box_has_the_partners_pixels_and_its_share_of_the_label():
    images, labels = plain(3)
    partners = np.array([1, 2, 0])
    mixed, shares = mixing.paste(images, labels, partners, (slice(1, 3), slice(4, 8)))
    wanted = images.copy()
    for own, partner in enumerate((20, 30, 10)):
        wanted[own, 1:3, 4:8] = partner
    np.testing.assert_array_equal(mixed, wanted)
    assert mixed.dtype == np.uint8 and shares.dtype == np.float32
    # 2 x 4 of 4 x 8 pixels: a quarter
    np.testing.assert_array_equal(
        shares, [[0.75, 0.25, 0], [0, 0.75, 0.25], [0.25, 0, 0.75]]
    )
    assert np.array_equal(images, plain(3)[0]) and np.array_equal(labels, np.eye(3))


def test_a_picture_that_is_its_own_partner_stays_what_it_is():
    images, labels = plain(2)
    mixed, shares = mixing.paste(
        images, labels, np.array([0, 1]), (slice(0, 3), slice(0, 7))
    )
    assert np.array_equal(mixed, images) and mixed is not images
    np.testing.assert_allclose(shares, labels, rtol=1e-6)


@pytest.mark.parametrize(
    ("box", "kept"),
    [
        ((slice(2, 2), slice(0, 8)), 1),  # empty
        ((slice(0, 4), slice(0, 8)), 0),  # all
        ((slice(0, 1), slice(0, 1)), 31 / 32),
    ],
)
def test_labels_follow_the_area_from_nothing_to_all(box, kept):
    images, labels = plain(2)
    mixed, shares = mixing.paste(images, labels, np.array([1, 0]), box)
    assert (mixed[0] == 20).mean() == 1 - kept and (mixed[1] == 20).mean() == kept
    np.testing.assert_allclose(shares, [[kept, 1 - kept], [1 - kept, kept]], rtol=1e-6)


@pytest.mark.parametrize(
    ("kept", "centres", "box"),
    [
        # a quarter of the area: half of each side, 4 of 8 rows and 8 of 16 columns
        (0.75, (4, 8), (slice(2, 6), slice(4, 12))),
        (0.75, (0, 15), (slice(0, 2), slice(11, 16))),  # two edges cut it
        (0.75, (7, 0), (slice(5, 8), slice(0, 4))),
        (0.0, (4, 8), (slice(0, 8), slice(0, 16))),  # all
        (0.0, (0, 0), (slice(0, 4), slice(0, 8))),  # a quarter of all
        (0.999, (4, 8), (slice(4, 4), slice(8, 8))),  # less than two pixels: none
        (0.6, (4, 8), (slice(2, 6), slice(3, 13))),  # 5.06 rows, 10.1 columns
    ],
)
def test_a_box_by_hand(kept, centres, box):
    assert mixing.draw_box(8, 16, Dice([kept], centres)) == box


def test_labels_count_what_is_left_of_a_box_at_the_edge():
    images, labels = plain(2, 8, 16)
    mixed, shares = mixing.cut_and_mix(images, labels, Dice([0.75], (0, 15), [1, 0]))
    # asked for a quarter, but 2 rows and 5 columns lie within the picture
    changed = 10 / 128
    assert (mixed != images).any(axis=3).mean(axis=(1, 2)).tolist() == [changed] * 2
    np.testing.assert_allclose(
        shares, [[1 - changed, changed], [changed, 1 - changed]], rtol=1e-6
    )


# === many boxes ===


def test_in_every_batch_labels_tell_what_changed():
    dice = np.random.default_rng(0)
    images, labels = plain(7, 16, 12)
    boxes = set()
    for _ in range(200):
        mixed, shares = mixing.cut_and_mix(images, labels, dice)
        inside = (mixed[:, :, :, :1] == images[:, :1, :1, :1]).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(np.diag(shares), inside, atol=1e-6)
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
        assert shares.min() >= 0
        boxes.add(inside.min())
    assert len(boxes) > 50


def clipped(size, share):
    """How much of a box's side lies within a picture: the mean over all centres."""
    half = int(size * share) // 2
    places = np.arange(size)
    return np.mean([np.isin(range(c - half, c + half), places).sum() for c in places])


def test_boxes_are_as_large_as_they_should_be():
    drawn = lambda size: np.mean([area(size) for _ in range(10_000)]) / size**2
    dice = np.random.default_rng(1)

    def area(size):
        rows, columns = mixing.draw_box(size, size, dice)
        return (rows.stop - rows.start) * (columns.stop - columns.start)

    # Of side s and a uniform centre s - s^2/4 is within, the mean over a line; squared,
    # with s^2 uniform: 1/2 - 1/5 + 1/48 of the area. Pixels round it down.
    assert drawn(2_000) == pytest.approx(1 / 2 - 1 / 5 + 1 / 48, abs=0.01)
    sides = np.sqrt((np.arange(1000) + 0.5) / 1000)
    by_pixels = np.mean([clipped(32, side) ** 2 for side in sides]) / 32**2
    assert by_pixels == pytest.approx(0.299, abs=0.001)
    assert drawn(32) == pytest.approx(by_pixels, abs=0.01)


# === when ===


def test_without_mixing_batches_are_pictures_in_their_order():
    batches = batches_of()
    for index, (images, labels) in enumerate(all_of(batches)):
        chosen = batches.order[4 * index : 4 * index + 4]
        assert np.array_equal(images, batches.images[chosen])
        assert np.array_equal(labels, np.eye(5)[chosen % 5])
    mixed = batches_of(cutmix=0.5)
    assert np.array_equal(mixed.order, batches.order)  # it takes no number from this


def test_a_share_of_batches_is_mixed():
    count = 2_000
    untouched = all_of(batches_of(count))
    same = {
        share: np.mean(are_equal(all_of(batches_of(count, cutmix=share)), untouched))
        for share in (0.0, 0.5, 1.0)
    }
    # Of 500. In one of 16 boxes, 8 pixels being few, there are none; in one of 24
    # batches the pictures happen to keep their places.
    assert same[0.0] == 1 and same[1.0] < 0.15
    assert same[0.5] == pytest.approx(0.5 + same[1.0] / 2, abs=0.07)


def test_every_batch_is_mixed_and_drawn_anew_by_seed_epoch_and_place(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "patchconvnet.training.batches.cut_and_mix",
        lambda images, labels, dice: drawn.append(dice.random()) or (images, labels),
    )
    for seed in (0, 1):
        batches = batches_of(seed=seed, cutmix=1)
        for epoch in (0, 1):
            batches.shuffle(epoch)
            all_of(batches)
            # the order's own numbers are not used twice
            drawn.append(np.random.default_rng((seed, epoch)).random(2)[1])
    assert len(drawn) == len(set(drawn)) == 2 * 2 * (10 + 1)


def test_a_batch_is_the_same_however_often_and_in_whatever_order_it_is_asked_for():
    batches = batches_of(cutmix=0.5)
    before = batches.images.copy(), batches.labels.copy()
    batches.shuffle(3)
    first = all_of(batches)
    batches.shuffle(4)
    batches[2]
    batches.shuffle(3)
    backwards = [batches[index] for index in reversed(range(len(batches)))][::-1]
    anew = batches_of(cutmix=0.5)  # as in a process that goes on
    anew.shuffle(3)
    assert all(are_equal(first, backwards)) and all(are_equal(first, all_of(anew)))
    assert not all(are_equal(first, all_of(batches_of(cutmix=0.5))))
    assert all(map(np.array_equal, before, (batches.images, batches.labels)))


@pytest.mark.parametrize(
    ("settings", "share"), [({}, 0), ({"cutmix": 0.25}, 0.25), ({"cutmix": 1}, 1)]
)
def test_training_mixes_as_its_recipe_says(
    settings, share, train_on_small_data, tmp_path, monkeypatch
):
    class Fed(Exception):
        pass

    def stop(*given):
        raise Fed(batches(*given).cutmix)

    batches = running.Batches
    monkeypatch.setattr(running, "Batches", stop)
    with pytest.raises(Fed) as caught:
        train_on_small_data(tmp_path / "run", settings=settings)
    assert caught.value.args == (share,)
    recipe = recipes.make_recipe("shapes", settings=settings)
    assert recipe.get("cutmix") == settings.get("cutmix")

"""What feeds the steps of a training: batches, in a fixed order."""

import keras
import numpy as np

from patchconvnet.training.mixing import cut_and_mix


class Batches(keras.utils.PyDataset):
    """Shuffled batches that depend only on the seed, the epoch and their place in it.

    So a resumed run sees the same. Each item is a pair: images uint8 (B, H, W, 3),
    labels one-hot float32 (B, classes). The last batch has the images that remain; a
    single one joins the batch before it.

    Args:
        images: uint8 (N, H, W, 3). They are never changed.
        labels: int (N,).
        batch_size: images a batch, at least 1.
        num_classes: how many classes there are.
        seed: of order and mixing, at least 0.
        cutmix: share of the batches that `cut_and_mix` mixes, 0 to 1. Their labels are
            no longer one-hot: Keras' accuracy then asks for the greatest share.
    """

    def __init__(self, images, labels, batch_size, num_classes, seed, cutmix=0.0):
        super().__init__()
        self.images = images
        # (N,) -> (N, classes)
        self.labels = np.eye(num_classes, dtype="float32")[labels]
        self.batch_size = batch_size
        self.seed = seed
        self.cutmix = cutmix
        self.shuffle(0)

    def shuffle(self, epoch):
        """Draw the order of an epoch, counted from 0."""
        self.epoch = epoch
        dice = np.random.default_rng((self.seed, epoch))
        self.order = dice.permutation(len(self.images))

    def __len__(self):
        whole, rest = divmod(len(self.images), self.batch_size)
        # the statistics of one image alone would pull batch norms far off
        alone = rest == 1 and whole > 0
        return whole + (rest > 0 and not alone)

    def __getitem__(self, index):
        chosen = self.order[index * self.batch_size :]
        if index < len(self) - 1:
            chosen = chosen[: self.batch_size]
        images, labels = self.images[chosen], self.labels[chosen]  # copies
        # not from 0: NumPy draws the same from (seed, epoch, 0) as from (seed, epoch)
        dice = np.random.default_rng((self.seed, self.epoch, index + 1))
        if dice.random() < self.cutmix:
            return cut_and_mix(images, labels, dice)
        return images, labels

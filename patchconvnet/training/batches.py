"""What feeds the steps of a training: batches, in a fixed order."""

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Shuffled batches whose order depends only on the seed and the epoch.

    So a resumed run sees the same. Each item is a pair: images uint8 (B, H, W, 3),
    labels one-hot float32 (B, classes). The last batch has the images that remain; a
    single one joins the batch before it.
    """

    def __init__(self, images, labels, batch_size, num_classes, seed):
        super().__init__()
        self.images = images
        # (N,) -> (N, classes)
        self.labels = np.eye(num_classes, dtype="float32")[labels]
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle(0)

    def shuffle(self, epoch):
        """Draw the order of an epoch, counted from 0."""
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
        return self.images[chosen], self.labels[chosen]

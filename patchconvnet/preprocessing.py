"""What happens to an image before the network sees it: resize, vary, scale.

All of it is layers inside the model, so a saved model takes plain 0..255 images of any
size. Each image gets its own shift, flip and cut-out. Keras' RandomCrop, in contrast,
draws one offset for the whole batch, and switches the compiler off for every model that
contains it.
"""

import keras
import numpy as np
from keras import layers, ops

from patchconvnet.errors import PatchConvNetError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@keras.saving.register_keras_serializable(package="patchconvnet")
class Resize(layers.Layer):
    """Bring images to one size, bilinearly; right-sized ones pass untouched.

    Where they shrink, they are smoothed first.

    Args:
        image_size: side of the output, in pixels.

    Input: uint8 or float (N, H, W, 3).
    Output: float (N, image_size, image_size, 3).
    """

    def __init__(self, image_size, **kwargs):
        super().__init__(**kwargs)
        self.image_size = image_size

    def call(self, images):
        images = ops.cast(images, self.compute_dtype)
        size = (self.image_size, self.image_size)
        if tuple(images.shape[1:3]) == size:
            return images
        # Smoothing matters only where images shrink, and TensorFlow cannot compile it.
        sides = images.shape[1:3]
        shrinks = any(side is None or side > self.image_size for side in sides)
        # (N, H, W, 3) -> (N, size, size, 3)
        return ops.image.resize(
            images, size, antialias=shrinks, data_format="channels_last"
        )

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.image_size, self.image_size, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "image_size": self.image_size}


@keras.saving.register_keras_serializable(package="patchconvnet")
class Augment(layers.Layer):
    """Vary training images, each on its own: shift, mirror, cut out.

    Does nothing outside training. A shift is a matrix product: row y of the result is
    row `y + offset` of the image, so a matrix with a single 1 a row picks the rows, and
    another one the columns (mirrored or not). This runs on every backend and compiles.

    Args:
        shift: greatest shift along each axis, in pixels; the border is filled
            by reflection.
        flip: whether half of the images are mirrored left to right.
        cutout: side of a square that is painted mid-grey, in pixels; 0 for
            none. Its middle is a random pixel, so part of it may lie outside
            (DeVries and Taylor, 2017).
        seed: seed of the random draws.

    Input and output: float (N, H, W, 3), 0..255.
    """

    def __init__(self, shift=0, flip=False, cutout=0, seed=None, **kwargs):
        super().__init__(**kwargs)
        # === config ===
        self.shift = shift
        self.flip = flip
        self.cutout = cutout
        self.seed = seed
        if shift < 0 or cutout < 0:
            raise ValueError(
                f"shift and cutout must not be negative, got {shift!r} and {cutout!r}"
            )
        self.generator = keras.random.SeedGenerator(seed)

    def _offsets(self, count, size):
        """Source index of every row (or column), reflected at the borders: int
        (N, size).
        """
        offset = keras.random.randint(
            (count, 1), -self.shift, self.shift + 1, seed=self.generator
        )
        # (N, size)
        index = ops.abs(ops.arange(size, dtype="int32")[None] + offset)
        return (size - 1) - ops.abs((size - 1) - index)

    def _shift_and_flip(self, images):
        count, height, width, _ = ops.shape(images)
        rows, columns = self._offsets(count, height), self._offsets(count, width)
        if self.flip:
            mirrored = keras.random.uniform((count, 1), seed=self.generator) < 0.5
            columns = ops.where(mirrored, (width - 1) - columns, columns)
        # (N, H) -> (N, H, H)
        pick_rows = ops.one_hot(rows, height, dtype=images.dtype)
        # (N, W) -> (N, W, W)
        pick_columns = ops.one_hot(columns, width, dtype=images.dtype)
        images = ops.einsum("nyh,nhwc->nywc", pick_rows, images)
        return ops.einsum("nxw,nywc->nyxc", pick_columns, images)

    def _cut_out(self, images):
        count, height, width, _ = ops.shape(images)
        inside = []
        for size in (height, width):
            middle = keras.random.randint((count, 1), 0, size, seed=self.generator)
            start = middle - self.cutout // 2
            position = ops.arange(size, dtype="int32")[None]  # (1, size)
            # (N, size)
            inside.append((position >= start) & (position < start + self.cutout))
        # (N, H, W, 1)
        hidden = inside[0][:, :, None, None] & inside[1][:, None, :, None]
        return ops.where(hidden, ops.cast(127.5, images.dtype), images)

    def call(self, images, training=None):
        if not training:
            return images
        if self.shift or self.flip:
            images = self._shift_and_flip(images)
        return self._cut_out(images) if self.cutout else images

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = {
            "shift": self.shift,
            "flip": self.flip,
            "cutout": self.cutout,
            "seed": self.seed,
        }
        return {**super().get_config(), **config}


def rescaling(kind):
    """The layer that brings 0..255 to the range that the network works in.

    Args:
        kind: "rescale" for -1..1, or "imagenet" for the mean and deviation
            that the paper's networks use.
    """
    if kind == "rescale":
        return layers.Rescaling(1 / 127.5, offset=-1, name="rescale")
    scale = [1 / (255 * deviation) for deviation in IMAGENET_STD]
    offset = [-mean / deviation for mean, deviation in zip(IMAGENET_MEAN, IMAGENET_STD)]
    return layers.Rescaling(scale, offset=offset, name="rescale")


def check_images(images, name="images"):
    """Make sure that an array is a batch of colour images, from 0 to 255.

    Args:
        images: what a caller gave.
        name: what to call it in messages.

    Returns:
        The images as a NumPy array, uint8 or float32 (N, H, W, 3).

    Raises:
        PatchConvNetError: says what was given and what is accepted.
    """
    array = np.asarray(images)
    wanted = "(N, height, width, 3), uint8 or float, values 0 to 255"
    if array.ndim == 3 and array.shape[-1] == 3:
        raise PatchConvNetError(
            f"{name}: one image of shape {array.shape}; give a batch: images[None]"
        )
    if array.ndim != 4 or array.shape[-1] != 3 or 0 in array.shape:
        raise PatchConvNetError(f"{name}: shape {array.shape}; wanted {wanted}")
    if array.dtype == np.uint8:
        return array
    is_float = np.issubdtype(array.dtype, np.floating)
    if not is_float and not np.issubdtype(array.dtype, np.integer):
        raise PatchConvNetError(f"{name}: dtype {array.dtype}; wanted {wanted}")
    if not np.all(np.isfinite(array)):
        raise PatchConvNetError(f"{name}: some values are not finite; wanted {wanted}")
    low, high = array.min(), array.max()
    if low < 0 or high > 255:
        raise PatchConvNetError(
            f"{name}: values from {low:g} to {high:g}; wanted {wanted}"
        )
    if is_float and 0 < high <= 1:
        raise PatchConvNetError(
            f"{name}: values from {low:g} to {high:g} look like 0..1; multiply by 255"
        )
    return array.astype("float32")

"""Your own pictures in an `.npz` file: each array checked, and made small."""

import numpy as np
from PIL import Image

from patchconvnet.data.masks import object_of
from patchconvnet.data.own_common import (
    PARTS,
    Found,
    check_saying_something,
    small_mask,
    small_picture,
)
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.files import read_arrays


def read(place, size):
    """What an `.npz` file holds: a `Found`; errors as in `own_pictures.read`."""
    arrays = read_arrays(place)
    split = "x_train" in arrays
    if split:
        fields = [(f"x_{part}", f"y_{part}", f"mask_{part}") for part in PARTS]
        needed = ("x_train", "y_train", "x_test", "y_test")
    else:
        fields = [("images", "labels", "masks")]
        needed = ("images", "labels")
    if missing := [name for name in needed if name not in arrays]:
        raise PatchConvNetError(
            f"{one_line(place)} lacks {', '.join(missing)}: it holds"
            f" {one_line(', '.join(arrays)) or 'nothing'}"
        )
    images, labels, masks, parts = [], [], [], []
    for number, (x, y, mask) in enumerate(fields):
        if x not in arrays:
            continue
        images.append(_checked_images(arrays[x], x, size, place))
        count, shape = len(images[-1]), arrays[x].shape[:3]
        labels.append(_checked_labels(arrays.get(y), count, y, place))
        masks.append(_checked_masks(arrays.get(mask), shape, mask, size, place))
        parts.append(np.full(count, number if split else -1))
    if len({mask is None for mask in masks}) == 2:
        raise PatchConvNetError(
            f"{one_line(place)} has masks for some of its parts only: give all, or none"
        )
    images, labels, parts = map(np.concatenate, (images, labels, parts))
    masks = None if masks[0] is None else np.concatenate(masks)
    if masks is not None:
        check_saying_something(masks, size, place)
    names = _names(arrays, labels, place)
    if not split:  # as in a folder
        order = np.random.RandomState(0).permutation(len(images))
        images, labels = images[order], labels[order]
        masks = None if masks is None else masks[order]
    return Found(images, labels, masks, parts, "x_val" in arrays, names)


def _checked_images(array, name, size, place):
    """uint8 (N, size, size, 3); N may be 0 for x_val alone."""
    fits = array.dtype == np.uint8 and (
        array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3))
    )
    if not fits or not (array.size or (name == "x_val" and len(array) == 0)):
        raise PatchConvNetError(
            f"{name} in {one_line(place)} is {array.dtype} {array.shape}: wanted uint8"
            " (N, H, W, 3) or (N, H, W), from 0 to 255"
        )
    grey = array.ndim == 3 or array.shape[3] == 1
    if grey:
        array = np.repeat(array.reshape(*array.shape[:3], 1), 3, axis=3)  # (N, H, W, 3)
    small = [small_picture(Image.fromarray(image), size) for image in array]
    return np.array(small, dtype="uint8").reshape(-1, size, size, 3)


def _checked_labels(array, count, name, place):
    fits = (
        array is not None
        and array.dtype.kind in "iu"
        and array.size == count
        and array.min(initial=0) >= 0
    )
    if not fits:
        found = "missing" if array is None else f"{array.dtype} {array.shape}"
        raise PatchConvNetError(
            f"{name} in {one_line(place)} is {found}: wanted {count} whole numbers"
            " from 0"
        )
    if array.max(initial=0) >= 2**16:
        raise PatchConvNetError(
            f"{name} in {one_line(place)} go up to {array.max():,}: number the classes"
            " 0, 1, 2... and name them in class_names"
        )
    return array.reshape(-1).astype("int64")  # also (N, 1), as Keras has it


def _checked_masks(array, shape, name, size, place):
    if array is None:
        return None
    if array.shape == (*shape, 1):
        array = array[..., 0]  # (N, H, W, 1) -> (N, H, W)
    if array.dtype.kind == "f" and np.array_equal(array, np.rint(array)):
        array = array.astype("int64")  # 0.0 and 1.0
    if array.shape != shape or array.dtype.kind not in "bui":
        raise PatchConvNetError(
            f"{name} in {one_line(place)} is {array.dtype} {array.shape}: wanted bool"
            f" or uint8 {shape}, as its pictures"
        )
    try:
        small = [small_mask(object_of(mask), size) for mask in array]
    except PatchConvNetError as error:
        raise PatchConvNetError(
            f"{name} in {one_line(place)} cannot be read as masks: {error}"
        ) from error
    return np.array(small, dtype=bool).reshape(-1, size, size)


def _names(arrays, labels, place):
    classes = int(labels.max()) + 1
    usual = np.array([f"class {label}" for label in range(classes)])
    names = arrays.get("class_names", usual)
    if (
        names.dtype.kind != "U"
        or names.ndim != 1
        or len(names) < classes
        or len(set(names.tolist())) < len(names)
    ):
        raise PatchConvNetError(
            f"class_names in {one_line(place)} must be {classes} different strings, one"
            " for each label"
        )
    if len(names) < 2:
        raise PatchConvNetError(
            f"{one_line(place)} has a single class: two are the least"
        )
    return tuple(names.tolist())

"""What "Try it yourself" needs for pets: the trunk that others trained, and photographs
to try. Without Keras, as the book is built without it.
"""

import base64

import numpy as np

EPSILON = 1e-3  # of each batch norm
# of the stem and of each block that is shipped; the blocks themselves are described in
# patchconvnet/any_network/efficientnet_lite0.py
STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1)
EXAMPLES = 10
# a layer's name on the page: the convolution's and the batch norm's in the file
STEM = {"stem": ("_conv_stem", "_bn0")}
BLOCK = {
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
}


def trunk(arrays):
    """The trunk's weights by name, float32, each batch norm folded into what is before.

    Args:
        arrays: those of `efficientnet_lite0.npz`.

    Returns:
        dict: kernels of 1x1 convolutions (out, in), depthwise (h, w, C), of the stem
        (h, w, in, out); and biases.
    """
    layers = dict(STEM)
    for number in range(len(STRIDES) - 1):
        for part, (convolution, norm) in BLOCK.items():
            prefix = f"_blocks.{number}."
            if f"{prefix}{convolution}.weight" in arrays:  # the first does not widen
                name = f"block_{number}/{part}"
                layers[name] = (f"{prefix}{convolution}", f"{prefix}{norm}")
    weights = {}
    for name, (convolution, norm) in layers.items():
        kernel, gamma, beta, mean, variance = (
            arrays[key].astype("float64")
            for key in (
                f"{convolution}.weight",
                *(
                    f"{norm}.{part}"
                    for part in ("weight", "bias", "running_mean", "running_var")
                ),
            )
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        weights[f"{name}/kernel"] = _as_read(kernel * scale[:, None, None, None])
        weights[f"{name}/bias"] = beta - mean * scale
    return weights


def licence(folder):
    """Whose the trunk is, what was changed, and its licence: a text."""
    notice, terms = (
        (folder / name).read_text(encoding="ascii") for name in ("NOTICE", "LICENSE")
    )
    changed = (
        "In efficientnet_lite0.js each batch norm is folded into the layer before."
    )
    return "\n\n".join((notice, changed, terms))


def _as_read(kernel):
    """(out, in, h, w) -> (out, in), (h, w, C) or (h, w, in, out)."""
    outputs, inputs, height, _ = kernel.shape
    if height == 1:
        return kernel.reshape(outputs, inputs)
    kernel = kernel.transpose(2, 3, 1, 0)
    return kernel[:, :, 0] if inputs == 1 else kernel


def photographs(stored):
    """Photographs to try, of each class in turn the first that are not trained on.

    Args:
        stored: the arrays of `photographs/test.npz`.

    Returns:
        list of dicts: "name" in the original data set, "class", and the files "photo"
        (JPEG) and "trimap" (PNG: 1 animal, 2 background, 3 rim) as base64.
    """
    labels = stored["label"]
    turn = [int((labels[:row] == label).sum()) for row, label in enumerate(labels)]
    rows = np.argsort(turn, kind="stable")[:EXAMPLES]
    return [
        {
            "name": str(stored["name"][row]).replace("_", " ").capitalize(),
            "class": str(stored["class_names"][labels[row]]),
            "photo": _file(stored, "photo_jpeg", "photo_size", row),
            "trimap": _file(stored, "trimap_png", "trimap_size", row),
        }
        for row in rows
    ]


def _file(stored, field, sizes, row):
    end = stored[sizes].cumsum()[row]
    content = stored[field][end - stored[sizes][row] : end].tobytes()
    return base64.b64encode(content).decode("ascii")

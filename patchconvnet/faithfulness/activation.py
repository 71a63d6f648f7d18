"""The map that a network with average pooling has: evidence, patch by patch."""

from patchconvnet.errors import PatchConvNetError
from patchconvnet.model.head import evidence
from patchconvnet.preprocessing import check_images


def class_activation_maps(model, images, batch_size=128):
    """Where a network with average pooling finds evidence for each class.

    From Zhou et al. (2016, section 2). Pooling and head are linear, so a class's logit
    is a mean over patches: of each patch, times the head's weights of that class. These
    products are the map. Its gradient-based relative, Grad-CAM on the last block, is
    the same up to scale and a cut at zero (Selvaraju et al., 2017, section 3.1).

    Args:
        model: a `PatchConvNet` or `PooledNetwork` with `pooling="average"`.
        images: uint8 or float (N, H, W, 3), 0..255.
        batch_size: how many images are computed at a time.

    Returns:
        logits: float32 (N, classes).
        maps: float32 (N, classes, h, w), of any sign; logit = mean of the map + the
            head's bias.

    Raises:
        PatchConvNetError: if the network pools by attention.
    """
    if model.get_config().get("pooling") != "average":
        raise PatchConvNetError(
            'class activation maps need pooling="average": with attention, `explain`'
            " gives the map that was used"
        )
    if model.inputs[0].shape[-1] == 3:  # else it takes the output of a trunk
        images = check_images(images)
    return evidence(model, images, batch_size)

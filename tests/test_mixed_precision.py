"""Half precision inside, float32 for softmax, logits and loss. On every backend."""

import keras
import numpy as np
import pytest

from patchconvnet import PatchConvNet
from patchconvnet.data import shapes
from patchconvnet.training import compile_model

RECIPE = {
    "epochs": 1,
    "learning_rate": 3e-3,
    "warmup": 0.1,
    "weight_decay": 0.05,
    "label_smoothing": 0.0,
}
OPTIONS = {
    "plain": {"norm": "batch", "shift": 2, "flip": True, "dropout": 0.1},
    "paper": {
        "spatial": "depthwise",
        "se_ratio": 4,
        "se_bias": True,
        "layer_scale": 0.1,
        "class_tokens": "per_class",
    },
}


@pytest.mark.long
@pytest.mark.parametrize(
    "policy", ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "options", ["plain", pytest.param("paper", marks=pytest.mark.slow)]
)
def test_200_steps_stay_finite_and_learn(policy, options):
    keras.utils.set_random_seed(0)
    images, labels, _ = shapes.generate(64, seed=0)
    targets = np.eye(10, dtype="float32")[labels]
    model = PatchConvNet(dim=16, depth=2, dtype=policy, **OPTIONS[options])
    compile_model(model, RECIPE, steps_per_epoch=200)
    scales_the_loss = type(model.optimizer).__name__ == "LossScaleOptimizer"
    # float16 loses small gradients, bfloat16 does not
    assert scales_the_loss == (policy == "mixed_float16")
    losses = [
        float(
            model.train_on_batch(
                images[first : first + 16], targets[first : first + 16]
            )[0]
        )
        for first in 16 * (np.arange(200) % 4)
    ]
    assert np.all(np.isfinite(losses))
    assert all(
        np.all(np.isfinite(keras.ops.convert_to_numpy(weight)))
        for weight in model.weights
    )

    logits, attention = model.explain(images)
    assert logits.dtype == attention.dtype == np.float32
    assert keras.backend.standardize_dtype(model(images).dtype) == "float32"
    assert (logits.argmax(axis=1) == labels).mean() > 0.3  # a tenth by chance

    # The softmax, from the layer itself: with one token, the token's own weight is left
    # out of the map.
    if options == "paper":
        np.testing.assert_allclose(attention.sum(axis=(2, 3)), 1, atol=1e-3)
    else:
        assert np.all(attention.sum(axis=(2, 3)) < 1 + 1e-3)


def test_half_precision_is_close_to_full():
    keras.utils.set_random_seed(0)
    images, _, _ = shapes.generate(16, seed=0)
    full = PatchConvNet(dim=16, depth=2)
    half = PatchConvNet(dim=16, depth=2, dtype="mixed_bfloat16")
    half.set_weights(full.get_weights())
    (logits, attention), (rough_logits, rough_attention) = (
        full.explain(images),
        half.explain(images),
    )
    # not equal: the policy reached the layers
    assert 0 < np.abs(logits - rough_logits).max() < 0.05
    np.testing.assert_allclose(rough_attention, attention, atol=2e-3)

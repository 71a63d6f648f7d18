"""ResNet-9, and the optimizer and learning rate that belong to it.

D. Page, "How to train your ResNet", 2018, and its code, `dawn.py` of
https://github.com/davidcpage/cifar10-fast. Label smoothing comes with the series' last
part, "Bag of tricks" (2019). Page's cut-outs lie within the picture.
"""

import keras
from keras import layers, ops

from patchconvnet.preprocessing import Augment, Resize, rescaling


def convolved(features, channels):
    """3 x 3 convolution, batch norm, ReLU: float (N, H, W, C) -> (N, H, W, channels).

    It starts as PyTorch's convolutions do.
    """
    start = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    # (N, H, W, C) -> (N, H, W, channels)
    features = layers.Conv2D(
        channels, 3, padding="same", use_bias=False, kernel_initializer=start
    )(features)
    features = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(features)
    return layers.ReLU()(features)


def residual(features):
    """Two convolutions that add to their input: float (N, H, W, C)."""
    channels = features.shape[-1]
    added = convolved(convolved(features, channels), channels)
    return layers.Add()([features, added])


def resnet9(width=64, shift=4, flip=True, cutout=8, seed=0, precision="float32"):
    """The network, 6,573,120 trainable parameters at its own width: a `keras.Model`.

    Args:
        width: channels of its first convolution; there are up to eight times as many.
        shift, flip, cutout: as in `Augment`; in training alone.
        seed: of that variation.
        precision: a dtype policy; logits are float32 whatever it is.

    Input: uint8 (N, 32, 32, 3), 0 to 255.
    Output: logits, float32 (N, 10).
    """
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)  # of all layers, and of the loss's scale
    try:
        images = keras.Input((32, 32, 3), dtype="uint8")
        features = Augment(shift, flip, cutout, seed)(Resize(32)(images))
        features = convolved(rescaling("rescale")(features), width)  # (N, 32, 32, w)
        for factor, is_residual in ((2, True), (4, False), (8, True)):
            # (N, H, W, C) -> (N, H / 2, W / 2, factor w)
            features = layers.MaxPooling2D()(convolved(features, factor * width))
            features = residual(features) if is_residual else features
        features = layers.GlobalMaxPooling2D()(features)  # (N, 4, 4, 8w) -> (N, 8w)
        # (N, 8w) -> (N, 10)
        logits = layers.Dense(10, use_bias=False, dtype="float32")(features)
        return keras.Model(images, layers.Rescaling(0.125, dtype="float32")(logits))
    finally:
        keras.config.set_dtype_policy(usual)


# === how it is trained ===


class UpAndDown(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate in two straight lines: up to `peak`, and down to 0.

    Args:
        peak: greatest rate, which is reached after `warmup_steps`.
        steps: number of optimizer steps; the last one has rate 0, as Page's.
        warmup_steps: 0 < warmup_steps < steps; no whole number is needed.
    """

    def __init__(self, peak, steps, warmup_steps):
        self.peak, self.steps, self.warmup_steps = peak, steps, warmup_steps

    def __call__(self, step):
        """Learning rate at a step, counted from 0: a scalar, float32."""
        done = ops.cast(step, "float32") + 1
        up = done / self.warmup_steps
        down = (self.steps - done) / (self.steps - self.warmup_steps)
        return self.peak * ops.maximum(ops.minimum(up, down), 0.0)


class CoupledSGD(keras.optimizers.SGD):
    """SGD with Nesterov's momentum, and a weight decay that is part of the gradient.

    So the momentum has it, too, as in Page's code: of Keras' own `weight_decay`
    momentum knows nothing, and a tenth of the decay is left. It pulls at all weights.
    """

    def __init__(self, learning_rate, momentum, decay):
        super().__init__(learning_rate, momentum=momentum, nesterov=True)
        self.decay = decay

    def update_step(self, gradient, variable, learning_rate):
        pull = self.decay * ops.cast(variable, gradient.dtype)
        super().update_step(gradient + pull, variable, learning_rate)


def compiled(recipe, steps_per_epoch):
    """The network of a recipe, with its optimizer and its loss."""
    names = ("width", "shift", "flip", "cutout")
    chosen = {name: recipe["model"][name] for name in names}
    network = resnet9(**chosen, seed=recipe["seed"], precision=recipe["precision"])
    steps = recipe["epochs"] * steps_per_epoch
    rate = UpAndDown(recipe["learning_rate"], steps, recipe["warmup"] * steps)
    network.compile(
        CoupledSGD(rate, recipe["momentum"], recipe["weight_decay"]),
        keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=recipe["label_smoothing"]
        ),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    return network

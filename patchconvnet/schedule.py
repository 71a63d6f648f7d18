"""The learning rate over training: up in a straight line, down along half a cosine.

    step < warm-up:   peak * (step + 1) / warm-up
    after:            end + (peak - end) * (1 + cos(pi * share of the rest)) / 2

And the optimizer that follows it: AdamW, whose weight decay pulls at kernels alone.
"""

import math

import keras
from keras import ops

from patchconvnet.errors import PatchConvNetError


@keras.saving.register_keras_serializable(package="patchconvnet")
class WarmUpCosine(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, then cosine decay.

    From Goyal et al. (2017, section 2.2), and Loshchilov and Hutter (2017, equation 5).

    Args:
        peak: greatest learning rate, above 0. It is reached at the last step
            of the warm-up.
        steps: number of optimizer steps of the whole training, at least 1.
            From there on the rate is `end`.
        warmup_steps: number of steps in which the rate climbs, from `peak /
            warmup_steps`; 0 <= warmup_steps < steps.
        end: learning rate at the end, 0 <= end <= peak.

    Raises:
        PatchConvNetError: if an argument is not as said above.
    """

    def __init__(self, peak, steps, warmup_steps=0, end=0.0):
        if not (math.isfinite(peak) and peak > 0):
            raise PatchConvNetError(f"peak must be a positive number, got {peak!r}")
        if steps < 1 or steps != int(steps):
            raise PatchConvNetError(
                f"steps must be a positive whole number, got {steps!r}"
            )
        if warmup_steps < 0 or warmup_steps != int(warmup_steps):
            raise PatchConvNetError(
                f"warmup_steps must be a whole number, 0 or more, got {warmup_steps!r}"
            )
        if warmup_steps >= steps:
            raise PatchConvNetError(
                f"the warm-up must end before the training: got {warmup_steps} warm-up"
                f" steps of {steps} steps in all"
            )
        if not 0 <= end <= peak:
            raise PatchConvNetError(
                f"end must be between 0 and peak ({peak!r}), got {end!r}"
            )
        self.peak = float(peak)
        self.steps = int(steps)
        self.warmup_steps = int(warmup_steps)
        self.end = float(end)

    def __call__(self, step):
        """Learning rate at a step, counted from 0: a scalar, float32."""
        step = ops.cast(step, "float32")
        climbing = self.peak * (step + 1) / max(self.warmup_steps, 1)
        # The first step after the warm-up is the first to fall; step number
        # `steps - 1` is the last one taken.
        share = step + 1 - self.warmup_steps
        share = share / (self.steps - self.warmup_steps)
        share = ops.clip(share, 0.0, 1.0)
        cosine = (1 + ops.cos(math.pi * share)) / 2  # from 1 to 0
        falling = self.end + (self.peak - self.end) * cosine
        return ops.where(step < self.warmup_steps, climbing, falling)

    def get_config(self):
        return {
            "peak": self.peak,
            "steps": self.steps,
            "warmup_steps": self.warmup_steps,
            "end": self.end,
        }


@keras.saving.register_keras_serializable(package="patchconvnet")
class AdamW(keras.optimizers.AdamW):
    """AdamW (Loshchilov and Hutter, 2019) that decays kernels only.

    No bias, normalization, layer scale or class token decays.
    `exclude_from_weight_decay` on Keras' own class is forgotten when a saved model is
    loaded. Here it is part of the class. Arguments are those of
    `keras.optimizers.AdamW`. The step of decay is learning rate x weight decay x
    weight.
    """

    def build(self, variables):
        self.exclude_from_weight_decay(
            var_names=["bias", "gamma", "beta", "class_token", "scale"]
        )
        super().build(variables)

    def finalize_variable_values(self, var_list):
        """With `use_ema`: give the variables their running means.

        Keras does so at the end of `fit`, and lets both share one array; on JAX the
        next `fit` or `predict` gives that away, and the mean is lost. Here the
        variables have arrays of their own.
        """
        super().finalize_variable_values(var_list)
        if self.use_ema:
            for variable in var_list:
                variable.assign(ops.copy(variable))

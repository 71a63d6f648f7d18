"""All that a network is made of: one dataclass of checked settings."""

import math
from dataclasses import dataclass

from patchconvnet.attention_pooling import MLP_RATIO
from patchconvnet.errors import (
    ANYTHING,
    SHARE,
    YES_OR_NO,
    PatchConvNetError,
    nearest,
    none_or,
    one_of,
    plain,
    setting,
    several,
    whole,
)
from patchconvnet.trunk import DEPTH, BlockConfig

MOST_WEIGHTS = 1e9  # three times the paper's largest network
MOST_NUMBERS = 2**26  # of one image, in one layer


@dataclass(frozen=True)
class NetworkConfig(BlockConfig):
    """All that a `PatchConvNet` is made of: defaults, and what each may be.

    What they mean is said there. The bounds are far beyond any use: past them, memory
    ends before training begins.
    """

    num_classes: int = setting(10, whole(1, 100_000))
    image_size: int = setting(32, whole(8, 1024))
    dim: int = setting(64, whole(1, 4096))
    depth: int = setting(2, DEPTH)
    stem_strides: tuple = setting((2, 2), several(one_of(1, 2), 8))
    stem_bias: bool = setting(True, YES_OR_NO)
    stem_final_activation: bool = setting(True, YES_OR_NO)
    tied: bool = setting(False, YES_OR_NO)
    pooling: str = setting("attention", one_of("attention", "average"))
    class_tokens: str = setting("single", one_of("single", "per_class"))
    mlp_ratio: float = setting(1, MLP_RATIO)
    dropout: float = setting(0.0, SHARE)
    attention_dropout: float | None = setting(None, none_or(SHARE))
    mlp_dropout: float | None = setting(None, none_or(SHARE))
    # Keras judges this one
    token_initializer: str | dict = setting("truncated_normal", ANYTHING)
    preprocessing: str | None = setting("rescale", one_of("rescale", "imagenet", None))
    shift: int = setting(0, whole(0, 1023))
    flip: bool = setting(False, YES_OR_NO)
    cutout: int = setting(0, whole(0, 1024))
    seed: int | None = setting(None, none_or(whole(0, 2**32 - 1)))

    def __post_init__(self):
        super().__post_init__()
        if self.pooling == "average" and self.class_tokens == "per_class":
            raise PatchConvNetError(
                'class_tokens="per_class" needs pooling="attention": average pooling'
                " has no tokens"
            )
        changes = {"shift": self.shift, "flip": self.flip, "cutout": self.cutout}
        given = [name for name, value in changes.items() if value]
        if self.preprocessing is None and given:
            raise PatchConvNetError(
                f"{given[0]} needs preprocessing, and preprocessing=None leaves images"
                " as they are"
            )
        for name, most in (("shift", self.image_size - 1), ("cutout", self.image_size)):
            value = getattr(self, name)
            if value > most:
                raise PatchConvNetError(
                    f"{name} must be at most {most} for images of {self.image_size}"
                    f" pixels, got {value!r}"
                )
        self._check_size()

    def _check_size(self):
        dim, size = self.dim, self.image_size
        depth = 1 if self.tied else self.depth
        # of the trunk's convolutions: 3x3 and 1x1
        weights = depth * dim**2 * (11 if self.spatial == "dense" else 2)
        side = -(-size // math.prod(self.stem_strides))  # rounded up, as the stem does
        if weights > MOST_WEIGHTS or side**2 * dim > MOST_NUMBERS:
            raise PatchConvNetError(
                f"dim={dim}, depth={self.depth}, image_size={size} and"
                f" stem_strides={tuple(self.stem_strides)} make a network of"
                f" {weights / 1e6:,.0f} million weights on {side} x {side} patches:"
                " make it smaller"
            )

    @classmethod
    def from_settings(cls, settings):
        """From a dict of fields by name.

        Raises:
            PatchConvNetError: a name that is no field (the nearest one is told), or a
                value that may not be so.
        """
        names = cls.names()
        if unknown := [name for name in settings if name not in names]:
            raise PatchConvNetError(
                f"PatchConvNet has no argument {unknown[0]}{nearest(unknown[0], names)}"
            )
        return cls(**{name: plain(value) for name, value in settings.items()})

    @property
    def block(self):
        """That of each block of the trunk: a `BlockConfig`."""
        names = BlockConfig.names()
        return BlockConfig(**{name: getattr(self, name) for name in names})

    @property
    def tokens(self):
        """How many class tokens there are with attention pooling."""
        return self.num_classes if self.class_tokens == "per_class" else 1

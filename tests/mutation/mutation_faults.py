"""Faults chosen by hand, each with the tests and the chapter that should notice it."""

from typing import NamedTuple


class Fault(NamedTuple):
    module: str  # below patchconvnet/, without .py
    right: str  # as it stands there, once
    wrong: str
    tests: str  # test files, without test_ and .py
    chapter: str


LAYERS, POOLING = "layers model presets", "06_attention_pooling"
FAULTS = [
    # === the network ===
    Fault(
        "stem",
        "                    1, data_format=",
        "                    ((0, 1), (0, 1)), data_format=",
        LAYERS + " official official_weights",
        "03_stem",
    ),
    Fault(
        "stem",
        "if not last or self.final_activation:",
        "if self.final_activation:",
        LAYERS + " official official_weights",
        "03_stem",
    ),
    Fault("stem", "gelu, dtype", "relu, dtype", LAYERS, "03_stem"),
    Fault("stem", "-(-height // stride)", "height // stride", LAYERS, "03_stem"),
    Fault("squeeze_excite", "axis=(1, 2)", "axis=(1, 3)", LAYERS, "05_squeeze_excite"),
    Fault(
        "squeeze_excite",
        'activation="sigmoid"',
        'activation="relu"',
        LAYERS,
        "05_squeeze_excite",
    ),
    Fault(
        "squeeze_excite",
        "return x * self.gate(x)",
        "return x + self.gate(x)",
        LAYERS,
        "05_squeeze_excite",
    ),
    Fault("trunk", "return x + self.skip(", "return self.skip(", LAYERS, "04_trunk"),
    Fault(
        "trunk",
        "block = self.blocks[0] if self.tied",
        "block = self.blocks[0] if True",
        LAYERS,
        "04_trunk",
    ),
    Fault(
        "trunk",
        "distinct = 1 if tied else depth",
        "distinct = depth",
        LAYERS,
        "04_trunk",
    ),
    Fault(
        "trunk",
        "epsilon=1e-6",
        "epsilon=1e-3",
        LAYERS + " official official_weights",
        "04_trunk",
    ),
    Fault(
        "trunk",
        "x = gelu(self.look_around(x))",
        "x = self.look_around(x)",
        LAYERS,
        "04_trunk",
    ),
    Fault("trunk", "else x * self.scale", "else x", LAYERS, "04_trunk"),
    Fault(
        "trunk", "noise_shape=(None, 1, 1, 1)", "noise_shape=None", LAYERS, "04_trunk"
    ),
    Fault(
        "attention_pooling",
        "keys.shape[-1] ** -0.5",
        "keys.shape[-1] ** -1",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "weights = weights[..., 1:]",
        "weights = weights[..., :-1]",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "normalized[:, : self.tokens]",
        "normalized[:, -self.tokens :]",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "source = normalized  #",
        "source = normalized[:, 1:]  #",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "softmax(ops.cast(scores",
        "sigmoid(ops.cast(scores",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "(-1, self.tokens, height, width)",
        "(-1, self.tokens, width, height)",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "return ops.sum(tokens * self.kernel",
        "return ops.mean(tokens * self.kernel",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "token + scaled(update, self.scale_mlp)",
        "scaled(update, self.scale_mlp)",
        LAYERS,
        POOLING,
    ),
    Fault(
        "model/network",
        "patches = trunk(stem(",
        "patches = (stem(",
        "model presets",
        "07_model",
    ),
    Fault(
        "model/network",
        "return tokens[:, 0] if",
        "return tokens[:, -1] * 2 if",
        "model presets scores records",
        "07_model",
    ),
    Fault(
        "model/presets",
        '"se_ratio": None,',
        '"se_ratio": 8,',
        "model presets records",
        "07_model",
    ),
    Fault(
        "preprocessing",
        "offset=-1",
        "offset=0",
        "preprocessing model presets",
        "02_data",
    ),
    Fault(
        "preprocessing",
        "antialias=shrinks",
        "antialias=False",
        "preprocessing",
        "02_data",
    ),
    Fault(
        "preprocessing",
        "(count, 1), -self.shift",
        "(1, 1), -self.shift",
        "preprocessing",
        "02_data",
    ),
    Fault(
        "preprocessing",
        "ops.where(mirrored, (width - 1)",
        "ops.where(mirrored, width",
        "preprocessing",
        "02_data",
    ),
    # === its training ===
    Fault("schedule", "(step + 1) / max(", "step / max(", "schedule", "08_schedule"),
    Fault(
        "schedule",
        "share = step + 1 - self",
        "share = step - self",
        "schedule",
        "08_schedule",
    ),
    Fault(
        "schedule",
        '"bias", "gamma"',
        '"gamma"',
        "schedule training_parts recipe_numbers",
        "08_schedule",
    ),
    Fault(
        "training/batches",
        "self.order[index * self.batch_size :",
        "self.order[index * self.batch_size + 1 :",
        "training_parts recipe_numbers",
        "09_training",
    ),
    Fault(
        "training/batches",
        "default_rng((self.seed, epoch))",
        "default_rng((self.seed, 0))",
        "training_parts recipe_numbers training",
        "09_training",
    ),
    Fault(
        "training/callbacks",
        "self._probe(epoch + 1)",
        "self._probe(epoch)",
        "training training_parts recipe_numbers",
        "09_training",
    ),
    Fault("training/scores", "(rank < 5)", "(rank <= 5)", "scores", "09_training"),
    Fault(
        "training/running",
        'int(recipe["warmup"] * steps)',
        "0",
        "training training_parts recipe_numbers",
        "09_training",
    ),
    # === the data, the maps and their measures ===
    Fault(
        "data/shapes",
        "coverage >= 0.5\n",
        "(coverage >= 0.5).swapaxes(1, 2)\n",
        "shapes",
        "02_data",
    ),
    Fault(
        "faithfulness/localization",
        '"Hh,nhw,Ww->nHW", rows, masks',
        '"Hh,nwh,Ww->nHW", rows, masks',
        "faithfulness perturbation",
        "12_faithfulness",
    ),
    Fault(
        "faithfulness/localization",
        "greatest] >= threshold",
        "greatest] > threshold",
        "faithfulness perturbation",
        "12_faithfulness",
    ),
    Fault(
        "faithfulness/localization",
        "np.log2(",
        "np.log(",
        "faithfulness perturbation",
        "12_faithfulness",
    ),
    Fault(
        "faithfulness/activation",
        '"nhwd,dc->nchw"',
        '"nhwd,dc->ncwh"',
        "faithfulness perturbation",
        "12_faithfulness",
    ),
    Fault(
        "faithfulness/rivals",
        "slopes.mean(axis=(1, 2))",
        "slopes.max(axis=(1, 2))",
        "rivals",
        "12_faithfulness",
    ),
    Fault(
        "faithfulness/other_weights",
        "loss_weights=[hold, 1.0]",
        "loss_weights=[1.0, hold]",
        "rivals",
        "17_what_a_score_proves",
    ),
    Fault(
        "faithfulness/perturbation",
        "(ranks < count) == inserting",
        "(ranks <= count) == inserting",
        "faithfulness perturbation",
        "17_what_a_score_proves",
    ),
]

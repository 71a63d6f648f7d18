"""Time a training step in this process: prints one line of JSON.

    python tools/benchmark/step.py published
    python tools/benchmark/step.py "ours, mixed_bfloat16"

Each network is compiled as its user would compile it. The published one runs without
our package, which also decides how TensorFlow computes (see patchconvnet/__init__.py).
"""

import json
import os
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
WARM_UP, STEPS, BATCH = 2, 8, 128


def published():
    import keras
    import published_example

    model = published_example.build()
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.AdamW(1e-3, weight_decay=1e-4), loss, metrics=["accuracy"]
    )
    return model


def ours(dtype=None):
    from patchconvnet import PatchConvNet
    from patchconvnet.training import compile_model, make_recipe

    model = PatchConvNet.from_preset("keras_example", dtype=dtype)
    compile_model(model, make_recipe("keras_example"), steps_per_epoch=300)
    return model


def main(kind):
    name, _, dtype = kind.partition(", ")
    model = {"published": published, "ours": lambda: ours(dtype or None)}[name]()
    import numpy as np

    images = np.random.default_rng(0).integers(
        0, 256, (BATCH, 32, 32, 3), dtype=np.uint8
    )
    labels = np.eye(10, dtype="float32")[np.arange(BATCH) % 10]
    seconds = []
    for _ in range(WARM_UP + STEPS):
        started = time.perf_counter()
        model.train_on_batch(images, labels)
        seconds.append(time.perf_counter() - started)
    # only now: importing it must not change what was timed
    from patchconvnet.training.machine import device, peak_memory

    result = {
        "seconds": statistics.median(seconds[WARM_UP:]),
        "peak_memory_bytes": peak_memory(),
        "device": device(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1])

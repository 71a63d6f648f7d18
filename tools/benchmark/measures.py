"""Time the measures of attention in this process: prints one line of JSON.

python tools/benchmark/measures.py
"""

import functools
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from patchconvnet import faithfulness, records
from patchconvnet.data import shapes

MAPS, GRID = 10_000, (12, 12)
# images of which cells are painted over and brought back, one cell a step
CHANGED = 100


def seconds_of(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main():
    generator = np.random.default_rng(0)
    maps = faithfulness.random_maps(MAPS, GRID)
    masks = generator.random((MAPS, 32, 32)) < 0.2
    seconds = {"measures": seconds_of(lambda: faithfulness.measure(maps, masks))}

    model = records.load("shapes").model()
    images, labels, _ = shapes.generate(CHANGED)
    _, attention = model.explain(images)
    for function in (faithfulness.deletion, faithfulness.insertion):
        work = functools.partial(function, model, images, attention[:, 0], labels)
        seconds[function.__name__] = seconds_of(work)
    from patchconvnet.training.machine import device

    print(json.dumps({"seconds": seconds, "device": device()}))


if __name__ == "__main__":
    main()

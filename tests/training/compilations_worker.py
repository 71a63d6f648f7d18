"""Run by test_compilations.py: JAX counts what it compiles in a process of its own.

    KERAS_BACKEND=jax python compilations_worker.py FOLDER

Trains a small network into FOLDER; prints a line of JSON.
"""

import collections
import json
import sys

import jax
from drawn_data import draw_small_data

from patchconvnet.training import running

TINY = {"image_size": 16, "dim": 8, "depth": 1}


def main(folder):
    counted = collections.Counter()
    jax.monitoring.register_event_listener(
        lambda event, **more: counted.update([event.rpartition("/")[2]])
    )
    # 38 images in batches of 32: a whole one and a rest of 6
    data = draw_small_data(train=38, val=4, test=32)
    running.load_dataset = lambda name, **options: data
    record = running.train(
        "shapes", folder, epochs=1, keep="scores", settings=TINY, verbose=0
    )
    answer = {
        "found": counted["cache_hits"],
        "kept": counted["cache_misses"],
        "loss": float(record.history["loss"][0]),
        "test_loss": record.results["test_loss"],
        "folder": jax.config.jax_compilation_cache_dir,
    }
    jax.jit(lambda x: 3 * x + 7)(1.0)
    answer["kept_later"] = counted["cache_misses"] - answer["kept"]
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])

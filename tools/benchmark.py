#!/usr/bin/env python3
"""Measure what the course promises, on this machine.

    python tools/benchmark.py            all of it
    python tools/benchmark.py step       a training step of `keras_example`, beside the
                                         published arrangement
    python tools/benchmark.py first      the first epoch of `keras_example`, which
                                         compiles, beside later ones; on a GPU all 50
    python tools/benchmark.py shapes     three seeds of `shapes`: accuracy, attention,
                                         seconds, memory
    python tools/benchmark.py shapes --seeds 0 1
    python tools/benchmark.py measures   all measures of 10,000 maps; deletion and
                                         insertion for 100 images

The goals of `first` are for JAX (KERAS_BACKEND=jax). Whether XLA's search for the
fastest kernels pays there is seen with XLA_FLAGS=--xla_gpu_autotune_level=0, or 2.

Everything that is timed runs in a process of its own, one after the other. Exit code 1
if a goal is missed.
"""

import sys

from benchmark.compare import main  # of the folder beside this file

if __name__ == "__main__":
    sys.exit(main())

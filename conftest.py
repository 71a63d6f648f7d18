"""What every test and every notebook kernel of a test finds in its environment.

This file lies in the root because `pytest --nbval chapters` never reads
tests/conftest.py. Kernels inherit these variables. A value that is already set stays.
"""

import os

import matplotlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# else TensorFlow's greetings land in stderr outputs
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# the committed outputs come from a CPU
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# tests compile much and run little: half the time
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
# and compile anew: nothing is read from the user's cache, nor left there
os.environ.setdefault("JAX_ENABLE_COMPILATION_CACHE", "false")
# Several processes share the cores: with one thread each they do more in the same time
# than with threads that wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")

# for this process alone: MPLBACKEND would take the figures out of the notebooks
matplotlib.use("agg")

"""What `python tools/benchmark.py` does.

    compare.py             starts the workers, prints what they found beside the goals
    step.py                a worker: a training step of our network, or of
    published_example.py   the published example's
    first.py               a worker: the epochs of a run, the first of which compiles
    measures.py            a worker: the measures of attention

Nothing is imported here, so that the workers time what they import themselves.
"""

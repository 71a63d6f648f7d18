"""Small data sets, for tests and for the processes that they start."""


def draw_small_data(train=96, val=20, test=40):
    """Shapes, few of them: a `Dataset`."""
    from patchconvnet.data import Dataset, shapes

    images, labels, masks = shapes.generate(train + val + test, seed=5)
    parts = {
        "train": slice(train),
        "val": slice(train, train + val),
        "test": slice(train + val, None),
    }
    fields = {}
    for part, chosen in parts.items():
        fields |= {
            f"x_{part}": images[chosen],
            f"y_{part}": labels[chosen],
            f"mask_{part}": masks[chosen],
        }
    return Dataset(
        name="shapes",
        variant="small, for tests",
        class_names=shapes.CLASS_NAMES,
        **fields,
    )


def draw_few_photographs(train, val, test):
    """The first photographs of each part of Pets: a `Dataset`."""
    from dataclasses import replace

    from patchconvnet import load_dataset

    data = load_dataset("pets", validation=9)
    fields = {
        f"{field}_{part}": getattr(data, f"{field}_{part}")[:count]
        for part, count in (("train", train), ("val", val), ("test", test))
        for field in ("x", "y", "mask")
    }
    return replace(data, variant="few", **fields)

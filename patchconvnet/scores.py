"""How good a network is on some images: of its logits, and of its maps."""

import numpy as np

from patchconvnet import faithfulness


def score_logits(logits, labels):
    """Loss (mean cross-entropy), accuracy and top-5 accuracy of logits (N, classes) for labels (N,): a dict."""
    logits = logits.astype("float64")
    greatest = logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(logits - greatest).sum(axis=1)) + greatest[:, 0]
    of_label = logits[np.arange(len(labels)), labels]
    order = np.argsort(-logits, axis=1, kind="stable")  # of equal logits the first class counts, as in argmax
    rank = (order == labels[:, None]).argmax(axis=1)
    return {
        "loss": float((log_total - of_label).mean()),
        "accuracy": float((rank == 0).mean()),
        "top5": float((rank < 5).mean()),
    }


def maps_of(classes, maps):
    """Of attention (N, Q, h, w), the map of each image's class (N,) if there is one a class: (N, h, w)."""
    token = classes if maps.shape[1] > 1 else np.zeros(len(maps), dtype=int)
    return maps[np.arange(len(maps)), token]


def score_attention(logits, maps, masks=None):
    """Scores of attention (N, Q, h, w), of the predicted class's token if there are several: a dict.

    "attention_entropy" in bits; with masks bool (N, H, W) also "attention_on_object" (see `faithfulness`).
    """
    chosen = maps_of(logits.argmax(axis=1), maps)
    scores = {"attention_entropy": float(faithfulness.entropy(chosen).mean())}
    if masks is not None:
        scores["attention_on_object"] = float(faithfulness.pointing_game(chosen, masks).mean())
    return scores

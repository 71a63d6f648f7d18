"""How good a network is on some images: of its logits, and of its maps."""

import numpy as np

from patchconvnet import faithfulness
from patchconvnet.inference import look, maps_of


def score_logits(logits, labels):
    """Loss, accuracy and top-5 accuracy of logits for labels (N,): a dict.

    Logits are (N, classes); the loss is the mean cross-entropy. "top5" is left out of
    five classes or fewer, where it is always 1.
    """
    logits = logits.astype("float64")
    greatest = logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(logits - greatest).sum(axis=1)) + greatest[:, 0]
    of_label = logits[np.arange(len(labels)), labels]
    # of equal logits the first class counts, as in argmax
    order = np.argsort(-logits, axis=1, kind="stable")
    rank = (order == labels[:, None]).argmax(axis=1)
    scores = {
        "loss": float((log_total - of_label).mean()),
        "accuracy": float((rank == 0).mean()),
    }
    if logits.shape[1] > 5:
        scores["top5"] = float((rank < 5).mean())
    return scores


def score_attention(logits, maps, masks=None):
    """Scores of attention (N, Q, h, w): a dict.

    "attention_entropy" in bits; with masks bool (N, H, W) also "attention_on_object"
    (see `faithfulness`). Of several tokens, the predicted class's counts.
    """
    chosen = maps_of(logits.argmax(axis=1), maps)
    scores = {"attention_entropy": float(faithfulness.entropy(chosen).mean())}
    if masks is not None:
        hits = faithfulness.pointing_game(chosen, masks)
        scores["attention_on_object"] = float(hits.mean())
    return scores


def score_test(model, dataset):
    """All scores of a network on the test images of a `Dataset`: a dict.

    "test_loss", "test_accuracy", "attention_entropy"; of more than five classes
    "test_top5"; where masks are known, also the share of maps on the object and what a
    random and the best fixed cell reach; where they are not, "test_accuracy_with_flip":
    the accuracy of the mean of two logits, of the image and of its mirror image.
    """
    labels, masks = dataset.y_test, dataset.mask_test
    logits, maps = look(model, dataset.x_test)
    scores = score_logits(logits, labels)
    scores = {f"test_{name}": value for name, value in scores.items()}
    scores |= score_attention(logits, maps, masks)
    if masks is None:
        mirrored, _ = look(model, dataset.x_test[:, :, ::-1])
        both = score_logits((logits + mirrored) / 2, labels)
        scores["test_accuracy_with_flip"] = both["accuracy"]
        return scores
    chosen, grid = maps_of(logits.argmax(axis=1), maps), maps.shape[2:]
    touching = faithfulness.pointing_game(chosen, masks, 1e-9)
    scores["attention_touching"] = float(touching.mean())
    if maps.shape[1] > 1:
        of_true_class = faithfulness.pointing_game(maps_of(labels, maps), masks)
        scores["attention_of_true_class_on_object"] = float(of_true_class.mean())
    scores["attention_chance"] = faithfulness.chance(masks, grid)
    scores["attention_best_fixed_cell"] = faithfulness.best_fixed_cell(masks, grid)
    return scores

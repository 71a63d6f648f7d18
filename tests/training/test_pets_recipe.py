"""What a recipe says of a network on a frozen trunk."""

import json

import pytest

from patchconvnet.errors import PatchConvNetError
from patchconvnet.model import PatchConvNet
from patchconvnet.training import make_recipe


def test_what_a_recipe_says_of_the_network():
    recipe = make_recipe("pets", settings={"until": 7, "pooling": "average"})
    assert json.loads(json.dumps(recipe)) == recipe
    assert recipe["validation"] == 0 and recipe["keep"] == "weights"
    assert recipe["model"] == {
        "num_classes": 3,
        "trunk": "efficientnet_lite0",
        "until": 7,
        "pooling": "average",
        "class_tokens": "single",
        "dropout": 0.2,
        "image_size": 224,
        "dim": 80,
    }


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"until": 16}, "until must be a whole number from 0 to 15"),
        ({"depth": 3}, "depth is not a setting"),
        ({"untill": 3}, "did you mean until"),
        ({"trunk": "resnet"}, "trunk is not a setting"),
        ({"cutmix": 0.5}, "cutmix cannot be set for pets"),
        ({"precision": "mixed_bfloat16"}, "precision cannot be set for pets"),
        ({"validation": 298}, "validation must be a whole number from 0 to 297"),
        ({"dropout": 1.0}, "dropout must be"),
    ],
)
def test_settings_that_are_refused(settings, said):
    with pytest.raises(PatchConvNetError, match=said):
        make_recipe("pets", settings=settings)


def test_it_is_no_preset_of_patchconvnet():
    with pytest.raises(PatchConvNetError, match="any_network.add_attention"):
        PatchConvNet.from_preset("pets")

"""Recipes: what a preset sets, what may be changed, and what is refused."""

import json

import pytest

from patchconvnet import model, recipes
from patchconvnet.errors import PatchConvNetError
from patchconvnet.recipes import make_recipe


def test_the_keras_example_sets_10000_images_apart_on_cifar10_only():
    assert make_recipe("keras_example")["validation"] == 10_000
    assert "validation" not in make_recipe("keras_example", data="shapes")
    assert make_recipe("shapes")["keep"] == "epochs" and make_recipe("keras_example")["keep"] == "weights"


@pytest.mark.parametrize("preset", recipes.RECIPES)
def test_every_recipe_has_a_network_and_can_be_set_to_what_it_is(preset):
    network = model.PatchConvNet.from_preset(preset, num_classes=10)
    assert network.count_params() <= 2_400_000
    numbers = {name: value for name, value in recipes.RECIPES[preset].items() if name in recipes.SETTINGS}
    assert make_recipe(preset, settings=numbers) == make_recipe(preset)


@pytest.mark.parametrize("preset", recipes.RECIPES)
def test_a_recipe_is_the_same_after_a_file(preset):
    recipe = make_recipe(preset)
    assert json.loads(json.dumps(recipe)) == recipe


def test_settings_reach_the_training_or_the_network():
    settings = {"learning_rate": 1e-3, "weight_averaging": 0, "precision": "float32", "depth": 3}
    recipe = make_recipe("cifar10", settings=settings)
    assert recipe["model"]["depth"] == 3 and "learning_rate" not in recipe["model"]
    assert {name: recipe[name] for name in settings if name != "depth"} == {
        "learning_rate": 1e-3,
        "weight_averaging": 0.0,
        "precision": "float32",
    }
    assert model.PRESETS["cifar10"]["depth"] == 8 and recipes.RECIPES["cifar10"]["learning_rate"] == 2e-3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 0}, "learning_rate must be a number above 0, at most 100, got 0"),
        ({"learning_rate": float("inf")}, "learning_rate must be .*inf"),
        ({"learning_rate": "high"}, "learning_rate must be .*'high'"),
        ({"batch_size": 12.5}, r"batch_size must be a whole number from 1 to 100,000, got 12\.5"),
        ({"batch_size": True}, "batch_size must be .*True"),
        ({"warmup": 1}, "warmup must be .* below 1, got 1"),
        ({"label_smoothing": 1.0}, "label_smoothing must be"),
        ({"weight_averaging": 1.0}, "weight_averaging must be"),
        ({"weight_decay": -0.1}, "weight_decay must be a number from 0 to 100, got -0.1"),
        ({"validation": 50_000}, "validation must be a whole number from 0 to 49,999"),
        ({"precision": "float16"}, "precision must be one of 'auto', 'float32', 'mixed_bfloat16', 'mixed_float16', got 'float16'"),
        ({"shuffled_labels": 1}, "shuffled_labels must be one of True, False, got 1"),
        ({"learning_rat": 1}, "did you mean learning_rate"),
        ({"seed": 1}, "seed is not a setting of the network or its training, but an argument of its own: --seed"),
        ({"learning_rate": 10**400}, "learning_rate must be a number above 0, at most 100, got 1000"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(PatchConvNetError, match=message):
        make_recipe("cifar10", settings=settings)


def test_only_cifar10_has_no_validation_images_of_its_own():
    with pytest.raises(PatchConvNetError, match="validation can be set for cifar10 only: shapes has"):
        make_recipe("shapes", settings={"validation": 10})


def test_keep_takes_three_words():
    with pytest.raises(PatchConvNetError, match="keep must be one of 'epochs', 'weights', 'scores', got 'all'"):
        make_recipe("shapes", keep="all")

"""Recipes: what a preset sets, what may be changed, and what is refused."""

import json

import numpy as np
import pytest

from patchconvnet import model
from patchconvnet.errors import PatchConvNetError
from patchconvnet.training import recipes
from patchconvnet.training.recipes import make_recipe


def test_the_keras_example_sets_10000_images_apart_on_cifar10_only():
    assert make_recipe("keras_example")["validation"] == 10_000
    assert "validation" not in make_recipe("keras_example", data="shapes")
    assert (
        make_recipe("shapes")["keep"] == "epochs"
        and make_recipe("keras_example")["keep"] == "weights"
    )


# "pets" trains a head on another trunk: see test_pets_recipe.py
@pytest.mark.parametrize("preset", sorted(recipes.RECIPES.keys() - {"pets"}))
def test_every_recipe_has_a_network_and_can_be_set_to_what_it_is(preset):
    network = model.PatchConvNet.from_preset(preset, num_classes=10)
    assert network.count_params() <= 2_650_000
    numbers = {
        name: value
        for name, value in recipes.RECIPES[preset].items()
        if name in recipes.SETTINGS
    }
    assert make_recipe(preset, settings=numbers) == make_recipe(preset)


@pytest.mark.parametrize("preset", recipes.RECIPES)
def test_a_recipe_is_the_same_after_a_file(preset):
    recipe = make_recipe(preset)
    assert json.loads(json.dumps(recipe)) == recipe


def test_settings_reach_the_training_or_the_network():
    settings = {
        "learning_rate": 1e-3,
        "weight_averaging": 0,
        "precision": "float32",
        "depth": 3,
    }
    recipe = make_recipe("cifar10", settings=settings)
    assert recipe["model"]["depth"] == 3 and "learning_rate" not in recipe["model"]
    assert {name: recipe[name] for name in settings if name != "depth"} == {
        "learning_rate": 1e-3,
        "weight_averaging": 0.0,
        "precision": "float32",
    }
    assert (
        model.PRESETS["cifar10"]["depth"] == 8
        and recipes.RECIPES["cifar10"]["learning_rate"] == 2e-3
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"learning_rate": 0},
            "learning_rate must be a number above 0, at most 100, got 0",
        ),
        ({"learning_rate": float("inf")}, "learning_rate must be .*inf"),
        ({"learning_rate": "high"}, "learning_rate must be .*'high'"),
        (
            {"batch_size": 12.5},
            r"batch_size must be a whole number from 1 to 100,000, got 12\.5",
        ),
        ({"batch_size": True}, "batch_size must be .*True"),
        ({"warmup": 1}, "warmup must be .* below 1, got 1"),
        ({"label_smoothing": 1.0}, "label_smoothing must be"),
        ({"weight_averaging": 1.0}, "weight_averaging must be"),
        ({"cutmix": 1.5}, "cutmix must be a number from 0 to 1, got 1.5"),
        (
            {"weight_decay": -0.1},
            "weight_decay must be a number from 0 to 100, got -0.1",
        ),
        ({"validation": 50_000}, "validation must be a whole number from 0 to 49,999"),
        (
            {"precision": "float16"},
            (
                "precision must be one of 'auto', 'float32', 'mixed_bfloat16',"
                " 'mixed_float16', got 'float16'"
            ),
        ),
        ({"shuffled_labels": 1}, "shuffled_labels must be one of True, False, got 1"),
        ({"learning_rat": 1}, "did you mean learning_rate"),
        (
            {"seed": 1},
            (
                "seed is not a setting of the network or its training, but an argument"
                " of its own: --seed"
            ),
        ),
        (
            {"learning_rate": 10**400},
            "learning_rate must be a number above 0, at most 100, got 1000",
        ),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(PatchConvNetError, match=message):
        make_recipe("cifar10", settings=settings)


def test_only_cifar10_and_pets_have_no_validation_images_of_their_own():
    with pytest.raises(
        PatchConvNetError,
        match="validation can be set for cifar10 and pets only: shapes has",
    ):
        make_recipe("shapes", settings={"validation": 10})


def test_of_pets_one_of_each_class_stays_to_train_on():
    with pytest.raises(
        PatchConvNetError, match="validation must be a whole number from 0 to 297,"
    ):
        make_recipe("shapes", data="pets", settings={"validation": 298})


def test_keep_takes_four_words():
    with pytest.raises(
        PatchConvNetError,
        match="keep must be one of 'epochs', 'weights', 'maps', 'scores', got 'all'",
    ):
        make_recipe("shapes", keep="all")


# === what sets two recipes apart ===


def test_a_setting_that_only_one_of_two_recipes_has_sets_them_apart():
    with_it, without = (
        make_recipe("shapes", settings={"weight_averaging": 0.9}),
        make_recipe("shapes"),
    )
    assert (
        recipes.difference(with_it, without) == "its weight_averaging is 0.9, not None"
    )
    assert (
        recipes.difference(without, with_it) == "its weight_averaging is None, not 0.9"
    )
    deeper = make_recipe("shapes", settings={"layer_scale": 0.1})
    assert recipes.difference(deeper, without) == "its layer_scale is 0.1, not None"


def test_equal_recipes_have_no_difference_and_the_first_one_is_told():
    assert recipes.difference(make_recipe("shapes"), make_recipe("shapes")) == ""
    assert (
        recipes.difference(
            make_recipe("shapes", seed=1), make_recipe("shapes", epochs=3)
        )
        == "its epochs is 11, not 3"
    )
    assert (
        recipes.difference({"model": {"dim": 8}}, {"model": None})
        == "its model is {'dim': 8}, not None"
    )


@pytest.mark.parametrize(
    ("preset", "numbers", "network"),
    [
        ("shapes",
         {"epochs": 11, "batch_size": 32, "learning_rate": 2.5e-3, "warmup": 0.15,
          "weight_decay": 0.05, "label_smoothing": 0.0},
         {"dim": 64, "depth": 2, "norm": "batch", "se_ratio": None, "dropout": 0.2,
          "shift": 2, "flip": True, "image_size": 32}),
        ("keras_example",
         {"epochs": 50, "batch_size": 128, "learning_rate": 1e-3, "warmup": 0.15,
          "weight_decay": 0.1, "label_smoothing": 0.0, "validation": 10_000,
          "precision": "auto"},
         {"dim": 256, "depth": 2, "dropout": 0.2, "shift": 4, "flip": True,
          "image_size": 48}),
        ("cifar10",
         {"epochs": 150, "batch_size": 512, "learning_rate": 2e-3, "warmup": 0.1,
          "weight_decay": 0.05, "label_smoothing": 0.1, "weight_averaging": 0.99,
          "cutmix": 0.5, "validation": 0, "precision": "auto"},
         {"dim": 160, "depth": 8, "norm": "batch", "drop_path": 0.1, "shift": 4,
          "flip": True, "cutout": 8, "stem_strides": [1, 2, 2], "image_size": 32}),
        ("cifar10_cpu",
         {"epochs": 20, "batch_size": 128, "learning_rate": 2e-3, "warmup": 0.15,
          "weight_decay": 0.05, "label_smoothing": 0.1, "validation": 5_000,
          "precision": "auto"},
         {"dim": 128, "depth": 4, "norm": "batch", "dropout": 0.1, "shift": 2,
          "flip": True, "stem_strides": [1, 2, 2], "image_size": 32}),
    ],
)  # fmt: skip
def test_the_presets_are_those_that_the_records_and_the_book_speak_of(
    preset, numbers, network
):
    """A record is trained again, and a figure compared, only while these stay: who
    changes one changes this, too.
    """
    recipe = make_recipe(preset)
    dataset = "shapes" if preset == "shapes" else "cifar10"
    own = {
        "preset": preset,
        "dataset": dataset,
        "limit": None,
        "seed": 0,
        "keep": "epochs" if preset == "shapes" else "weights",
    }
    assert recipe == {
        **own,
        **numbers,
        "model": {**network, "num_classes": 10, "seed": 0},
    }


def test_a_shipped_record_has_the_recipe_of_its_preset():
    from patchconvnet import records

    for name in ("shapes", "cifar10_cpu"):
        recorded = records.load(name).recipe
        recipe = make_recipe(name)
        assert {
            key: recorded[key] for key in recipe if key not in ("precision", "model")
        } == {key: recipe[key] for key in recipe if key not in ("precision", "model")}
        assert recorded["model"].items() >= recipe["model"].items()


# === each border of a setting ===


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("validation", [0, 49_999], [-1, 50_000]),
        ("batch_size", [1, 100_000], [0, 1.5, 2.0, 100_001]),
        ("learning_rate", [1e-9, 100], [0, 100.1, -1e-3, float("inf"), float("nan")]),
        ("warmup", [0, 0.999], [-0.001, 1]),
        ("weight_decay", [0, 100], [100.1, -1e-9, float("inf")]),
        ("label_smoothing", [0, 0.999], [-0.1, 1]),
        ("weight_averaging", [0, 0.999], [-0.1, 1]),
        ("cutmix", [0, 0.5, 1], [-0.1, 1.001, 1.5, "much", True, float("nan")]),
    ],
)
def test_each_number_has_its_range(name, inside, outside):
    for value in inside:
        assert make_recipe("cifar10", settings={name: value})[name] == value
    for value in outside:
        with pytest.raises(PatchConvNetError, match=f"{name} must be "):
            make_recipe("cifar10", settings={name: value})


def test_whole_numbers_are_kept_as_such_and_shares_as_fractions():
    recipe = make_recipe("cifar10", settings={"batch_size": np.int64(64), "warmup": 0})
    assert [type(recipe[name]) for name in ("batch_size", "warmup")] == [int, float]


@pytest.mark.parametrize(
    ("option", "lowest", "highest"),
    [("epochs", 1, 100_000), ("limit", 1, 10**9), ("seed", 0, 2**31 - 1)],
)
def test_epochs_limit_and_seed_have_borders(option, lowest, highest):
    for value in (lowest, np.int64(lowest), highest):
        recipe = make_recipe("shapes", **{option: value})
        assert recipe[option] == value and type(recipe[option]) is int
    for value in (lowest - 1, highest + 1, 1.0, "1", True):
        with pytest.raises(
            PatchConvNetError, match=f"^{option} must be (None or )?a whole number"
        ):
            make_recipe("shapes", **{option: value})


def test_the_seed_is_the_networks_too_and_nothing_else_changes_it():
    assert make_recipe("shapes", seed=7)["model"]["seed"] == 7
    for name in ("num_classes", "seed", "kwargs"):
        with pytest.raises(PatchConvNetError, match=f"^{name} is not a setting"):
            make_recipe("shapes", settings={name: 3})


@pytest.mark.parametrize("preset", ["shapes", "cifar10_cpu"])
@pytest.mark.parametrize("keep", ["epochs", "weights", "scores"])
def test_what_is_kept_may_be_said_of_any_preset(preset, keep):
    assert make_recipe(preset, keep=keep)["keep"] == keep


def test_a_preset_without_a_recipe_says_which_have_one():
    with pytest.raises(
        PatchConvNetError,
        match=(
            "no recipe to train 's60': presets that have one are shapes, keras_example,"
            " cifar10, cifar10_cpu"
        ),
    ):
        make_recipe("s60")


def test_precision_takes_one_of_four_words_and_labels_may_be_shuffled():
    for word in ("auto", "float32", "mixed_bfloat16", "mixed_float16"):
        assert make_recipe("shapes", settings={"precision": word})["precision"] == word
    for value in (True, False):
        assert (
            make_recipe("shapes", settings={"shuffled_labels": value})[
                "shuffled_labels"
            ]
            is value
        )


def test_each_data_set_is_loaded_as_its_recipe_says(tmp_path):
    assert recipes.data_options(make_recipe("shapes")) == {}
    assert recipes.data_options(make_recipe("cifar10", settings={"validation": 7})) == {
        "validation": 7
    }
    pets = make_recipe("cifar10", data="pets")
    assert recipes.data_options(pets) == {} and pets["model"]["num_classes"] == 3
    pets = make_recipe("cifar10", data="pets", settings={"validation": 297})
    assert recipes.data_options(pets) == {"validation": 297}
    images = np.random.default_rng(0).integers(256, size=(8, 8, 8, 3), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(8) % 2)
    own = make_recipe(
        "cifar10_cpu", data=tmp_path / "own.npz", settings={"image_size": 24}
    )
    assert recipes.data_options(own) == {"size": 24}
    assert (
        own["dataset"] == str(tmp_path / "own.npz")
        and own["model"]["num_classes"] == 2
        and "validation" not in own
    )
    with pytest.raises(
        PatchConvNetError, match="validation can be set for cifar10 and pets only"
    ):
        make_recipe("cifar10", data=tmp_path / "own.npz", settings={"validation": 3})


def test_a_name_far_from_all_gets_no_hint_and_a_near_one_of_the_network_does():
    with pytest.raises(
        PatchConvNetError, match="zzzz is not a setting .* can be changed$"
    ):
        make_recipe("shapes", settings={"zzzz": 1})
    for wrong, near in (
        ("dropoot", "dropout"),
        ("precison", "precision"),
        ("shufled_labels", "shuffled_labels"),
    ):
        with pytest.raises(PatchConvNetError, match=f"did you mean {near}\\?"):
            make_recipe("shapes", settings={wrong: 1})


@pytest.mark.parametrize("name", ["data", "epochs", "limit", "keep", "devices"])
def test_what_is_an_argument_of_its_own_is_told_so(name):
    with pytest.raises(
        PatchConvNetError,
        match=f"^{name} is not a setting .* but an argument of its own: --{name}$",
    ):
        make_recipe("shapes", settings={name: 1})

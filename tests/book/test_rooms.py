"""Every line knows its room: what lies where, and that nothing reaches back up."""

import ast
import re
from pathlib import Path

import pytest

import patchconvnet

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "patchconvnet"
# From the ground up. What stands on one floor knows nothing of its neighbours.
FLOORS = [
    {"errors"},
    {"files"},
    {"stem", "attention_pooling", "preprocessing", "schedule", "plotting"},
    {"squeeze_excite"},
    {"trunk"},
    {"model"},
    {"any_network"},
    {"official", "data", "records", "faithfulness"},
    {"inference"},
    {"training"},
    {"evolution"},
    {"course"},
    {"__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def entries(folder):
    """What lies in a folder of the repository, without what Python makes there."""
    return {
        path.name
        for path in folder.iterdir()
        if path.name != "__pycache__" and not path.name.startswith(".")
    }


def rooms_named_in(source):
    """The rooms of the package that a module imports, wherever: a set of names."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {
                alias.name.split(".")[1]
                for alias in node.names
                if alias.name.startswith("patchconvnet.")
            }
        elif isinstance(node, ast.ImportFrom) and node.module == "patchconvnet":
            homes = [
                patchconvnet._HOMES.get(alias.name, f"patchconvnet.{alias.name}")
                for alias in node.names
            ]
            found |= {home.split(".")[1] for home in homes} - {"__version__"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "patchconvnet."
        ):
            found.add(node.module.split(".")[1])
    return found


def climbs(room, source):
    """Rooms that a module imports although they do not stand below its own: a list."""
    return sorted(
        other
        for other in rooms_named_in(source) - {room}
        if FLOOR[other] >= FLOOR[room]
    )


@pytest.mark.parametrize(
    "path",
    sorted(PACKAGE.rglob("*.py")),
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_no_import_runs_back_up(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        pytest.skip("it hands names on")
    assert not climbs(room, path.read_text(encoding="utf-8"))


def test_an_import_that_climbs_is_seen():
    assert climbs(
        "data", "def load():\n    from patchconvnet.inference import look\n"
    ) == ["inference"]
    assert climbs("model", "from patchconvnet import files, records, train") == [
        "records",
        "training",
    ]
    assert climbs("records", "import patchconvnet.data.shapes") == ["data"]
    assert (
        climbs(
            "training",
            "from patchconvnet import PatchConvNet, load_dataset, __version__\nimport"
            " keras",
        )
        == []
    )


def test_the_first_level_is_a_table_of_contents():
    found = entries(PACKAGE)
    assert len(found) <= 21
    assert {name.removesuffix(".py") for name in found} == FLOOR.keys() | {"__init__"}
    for chapter in ROOT.glob("chapters/*.ipynb"):
        number, name = chapter.stem.split("_", 1)
        # the first uses all rooms; the others teach from data, faithfulness, pooling
        elsewhere = ("overview", "own_pictures", "what_a_score_proves")
        if name not in (*elsewhere, "inside_the_pooling"):
            assert {
                name,
                f"{name}.py",
            } & found, f"what does chapter {number} teach from?"


def test_contributing_shows_the_tree():
    """Each room with a line: no more and no fewer than there are."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = re.search(r"```text\n(patchconvnet/\n.+?)```", text, re.S)[1]
    parts, part = {}, None
    for line in tree.splitlines():
        if not line.startswith(" "):
            part = line.rstrip("/")
            parts[part] = set()
            continue
        name, said = line.split(maxsplit=1)
        assert len(said) > 10, name
        parts[part].add(name)
    assert parts.keys() == {"patchconvnet", "tools", "tests"}
    for part, named in parts.items():
        folder = ROOT / part
        there = {
            f"{name}/" if (folder / name).is_dir() else name for name in entries(folder)
        }
        if part == "tests":
            there = {
                name for name in there if not re.match(r"test_\w+\.py|conftest", name)
            }
        assert named == there, part


def test_tests_lie_in_folders_of_the_same_names():
    rooms = {name for name in entries(PACKAGE) if (PACKAGE / name).is_dir()}
    assert rooms <= entries(ROOT / "tests") and all(
        any((ROOT / "tests" / room).glob("test_*.py")) for room in rooms
    )


# === sizes ===

CODE = [
    path
    for part in ("patchconvnet", "tools", "tests")
    for path in (ROOT / part).rglob("*.py")
]


def too_long(source, most=60):
    """Functions of more lines than that: a list of names."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno - node.lineno >= most
    ]


def test_functions_and_files_are_short():
    found = {}
    for path in CODE:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400, path
        if not path.is_relative_to(ROOT / "tests"):
            found[path.name] = too_long(text)
    assert not {name: names for name, names in found.items() if names}


def test_a_long_function_is_seen():
    assert too_long("def f():\n" + 60 * "    pass\n") == ["f"]
    assert too_long("def f():\n" + 59 * "    pass\n") == []

"""A plan's times: dates, homework, notes, lengths; and names that are near."""

import numpy as np
import pytest
from test_classroom import PLAN, write

from classroom import filling as classroom_filling
from classroom import kit as classroom_kit
from classroom import plan as classroom_plan
from classroom.schedule import schedule
from patchconvnet import PatchConvNetError

TITLES = {"01_overview": "The course", "06_attention_pooling": "Attention pooling"}


def read(folder, *changes):
    text = PLAN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return classroom_plan.read_plan(write(folder / "plan.toml", text))


DATED = ('title = "Only one"', 'title = "Only one"\ndate = 2027-01-12')
FOR_HOME = ("exercises = [1, 4]", "exercises = [1]\nhomework = [4]")
BREAK = ('title = "Break"', 'title = "Break"\nnote = "Open a window."')


def test_homework_dates_and_notes_stand_in_the_schedule(tmp_path):
    plan = read(tmp_path, DATED, FOR_HOME, BREAK)
    assert plan.parts_of("01_overview")[0].exercises == (1, 4)  # both are in the kit
    for_students = schedule(plan, TITLES)
    assert "## Only one (Tuesday, 12 January 2027, 80 minutes)" in for_students
    assert "[The course](chapters/01_overview.ipynb) | 1 | 4 |\n" in for_students
    assert "Ask before" not in for_students and "window" not in for_students
    for_instructor = schedule(plan, TITLES, notes=True)
    assert "| 1 | 4 | Ask before you run. |\n" in for_instructor
    assert "| Break |  |  | Open a window. |\n" in for_instructor


def test_without_homework_there_is_no_column_for_it(tmp_path):
    assert "homework" not in schedule(read(tmp_path), TITLES)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('"2027-01-12"', "wanted a date, without quotes, as in 2027-03-01"),
        ("2027-01-12T10:00:00", "wanted a date"),
        ("2027-02-30", "cannot be read as a plan"),
    ],
)
def test_a_date_that_is_none(tmp_path, value, said):
    with pytest.raises(PatchConvNetError, match=said):
        read(tmp_path, (DATED[0], f"{DATED[0]}\ndate = {value}"))


def test_homework_must_be_an_exercise_of_the_chapter(tmp_path):
    read(tmp_path, (FOR_HOME[0], "homework = [9]"))
    with pytest.raises(PatchConvNetError, match="9 is no exercise of 01_overview"):
        classroom_kit.make(tmp_path / "plan.toml", tmp_path / "kit")


def test_chapters_stand_in_the_plans_order(tmp_path):
    plan = read(
        tmp_path,
        ('chapter = "01_overview"', 'chapter = "12_faithfulness"'),
        ('leave_out = ["Where it fails", "Try your own picture"]\n', ""),
        ("exercises = [1, 4]", "exercises = [1]"),
    )
    assert plan.chapters() == ["12_faithfulness", "06_attention_pooling"]


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ([], "plan", []),
        ([], "my-80min", []),
        ([], "90min", ["session 1 has 80 minutes, and the plan says 90"]),
        ([('start = "09', 'minutes = 80\nstart = "09')], "90min", []),
        (
            [('title = "A test"', 'title = "A test in 60 minutes"')],
            "plan",
            ["session 1 has 80 minutes, and the plan says 60"],
        ),
        (
            [('title = "Only one"', 'title = "Only one"\nminutes = 45')],
            "80min",
            ["session 1 has 80 minutes, and the plan says 45"],
        ),
    ],
)
def test_a_sum_that_contradicts_the_plan_is_told(tmp_path, changes, name, said):
    plan = read(tmp_path, *changes)
    assert classroom_plan.lengths_amiss(plan, name) == said


def test_names_that_are_accepted_come_one_a_line(tmp_path, capsys):
    read(tmp_path, ('"Where it fails"', '"Where it failed"'))
    out = tmp_path / "kit"
    given = ["--plan", str(tmp_path / "plan.toml"), "--out", str(out)]
    assert classroom_kit.main(given) == 2
    first, *names = capsys.readouterr().err.splitlines()
    assert first.endswith('did you mean "Where it fails"?') and not out.exists()
    assert "  Where it fails" in names and "  First, look" in names


@pytest.fixture
def pictures(tmp_path):
    """A plan beside a file of pictures, and a function that writes so many."""

    def give(count):
        dice = np.random.default_rng(count)
        images = dice.integers(256, size=(count, 8, 8, 3), dtype=np.uint8)
        np.savez(tmp_path / "own.npz", images=images, labels=np.arange(count) % 2)

    give(60)
    text = PLAN.replace('start = "09', 'dataset = "own.npz"\nstart = "09')
    text = text.replace('"06_attention_pooling"', '"15_own_pictures"')
    text = text.replace("Three jobs, three versions of a patch", "Train")
    write(tmp_path / "plan.toml", text.replace("How sharp?", "Lay out a folder"))
    return give


def test_the_same_command_again_takes_new_pictures_in(tmp_path, pictures, monkeypatch):
    monkeypatch.setattr(classroom_filling, "run_on", lambda *given: None)
    (tmp_path / "classes").mkdir()
    kit = tmp_path / "classes" / "kit"
    counts = []
    for count, plan in (
        (60, tmp_path / "plan.toml"),
        (80, tmp_path / "plan.toml"),
        (90, kit / "plan.toml"),
    ):
        pictures(count)
        classroom_kit.make(plan, kit)
        with np.load(kit / "student" / "data" / "own.npz") as packed:
            counts.append(sum(len(packed[f"y_{p}"]) for p in ("train", "val", "test")))
    assert counts == [60, 80, 90]
    assert 'dataset = "../../own.npz"' in (kit / "plan.toml").read_text()


def test_pictures_are_no_reason_to_take_another_plan(tmp_path, pictures, monkeypatch):
    monkeypatch.setattr(classroom_filling, "run_on", lambda *given: None)
    classroom_kit.make(tmp_path / "plan.toml", tmp_path / "kit")
    text = (tmp_path / "plan.toml").read_text()
    write(tmp_path / "plan.toml", text.replace("A school", "Another school"))
    with pytest.raises(PatchConvNetError, match="has a plan of its own: give --plan"):
        classroom_kit.make(tmp_path / "plan.toml", tmp_path / "kit")

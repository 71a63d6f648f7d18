"""The plan of a class: refused where it takes minutes to read, not as people write."""

import pytest

from patchconvnet.course import plans
from patchconvnet.errors import PatchConvNetError

PLAN = (
    'title = "A class"\n[[session]]\n[[session.part]]\nminutes = 10\nchapter ='
    ' "01_overview"\n'
)


@pytest.mark.parametrize("start", ["a", '"a"', "'a'", "'a\"b'"])
def test_a_key_of_thousands_of_parts_is_not_read(tmp_path, start):
    (tmp_path / "plan.toml").write_text(f"{start}{'.a' * 5000} = 1\n{PLAN}")
    with pytest.raises(PatchConvNetError, match="a line has more than 100 dots"):
        plans.read_table(tmp_path / "plan.toml")


@pytest.mark.parametrize(
    "line",
    [f"# {'.' * 300}", f'institution = "{"." * 300}"', f"contact = '{'.' * 300}'"],
)
def test_dots_in_words_and_comments_are_dots(tmp_path, line):
    (tmp_path / "plan.toml").write_text(f"{line}\n{PLAN}")
    assert plans.read_table(tmp_path / "plan.toml")["title"] == "A class"


def test_a_mark_at_the_beginning_and_the_line_ends_of_windows_are_read(tmp_path):
    (tmp_path / "plan.toml").write_bytes(
        b"\xef\xbb\xbf" + PLAN.replace("\n", "\r\n").encode()
    )
    assert (
        plans.read_table(tmp_path / "plan.toml")["session"][0]["part"][0]["minutes"]
        == 10
    )


@pytest.mark.parametrize("name", ["shapes", "pets"])
def test_data_sets_that_come_with_the_course_are_no_place(tmp_path, name):
    (tmp_path / "plan.toml").write_text(f'dataset = "{name}"\n{PLAN}')
    table = plans.read_table(tmp_path / "plan.toml")
    assert plans.pictures(table, tmp_path / "plan.toml") is None


@pytest.mark.parametrize("name", ["pets", "./pets"])
def test_a_folder_beside_the_plan_may_be_called_pets(tmp_path, name):
    (tmp_path / "pets").mkdir()
    found = plans.pictures({"dataset": name}, tmp_path / "plan.toml")
    assert found.resolve() == (tmp_path / "pets").resolve()


@pytest.mark.parametrize(
    "value", ["0x" + "f" * 6000, "9" * 300, "-1", "true", '"ten"', "[1]"]
)
def test_minutes_that_are_none_are_named_in_few_letters(tmp_path, value):
    (tmp_path / "plan.toml").write_text(PLAN.replace("10", value))
    with pytest.raises(PatchConvNetError, match="minutes = .*: wanted") as caught:
        plans.read_table(tmp_path / "plan.toml")
    assert len(str(caught.value)) < 300

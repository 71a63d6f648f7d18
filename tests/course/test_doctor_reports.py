"""What the doctor writes: a table, and JSON."""

import json

import pytest

from patchconvnet.course import doctor_report
from patchconvnet.course.doctor import MEND, OK, REMARK, Check


def test_chapters_take_what_they_take_here():
    # the step of the machine on which they were measured
    rows = doctor_report.chapters(0.036)
    named = {row["chapter"]: row for row in rows}
    assert named["01_overview"] == {
        "chapter": "01_overview",
        "title": "The course in one sitting",
        "seconds": 21,
    }
    two = doctor_report.chapters(0.054, ["03_stem", "01_overview"])
    # half as much again: 31.5 and 25.5, rounded to even
    expected = {"01_overview": 32, "03_stem": 26}
    assert {row["chapter"]: row["seconds"] for row in two} == expected
    assert all(row["seconds"] is None for row in doctor_report.chapters(None)) and len(
        rows
    ) == len(named)
    assert doctor_report.chapters(0.036, []) == []


CHECKS = [
    Check("Python", OK, "3.11"),
    Check("disk", REMARK, "little", "free some"),
    Check("Keras", MEND, "none", "pip"),
]
ESTIMATES = [
    {"chapter": "02_data", "title": "Know the data", "seconds": 89},
    {"chapter": "03_stem", "title": "From pixels to patches", "seconds": 90},
    {"chapter": "04_x", "title": "Unknown", "seconds": None},
]


@pytest.mark.parametrize(
    ("count", "strict", "ready"),
    [
        (1, True, True),
        (1, False, True),
        (2, False, True),
        (2, True, False),
        (3, False, False),
        (0, True, True),
    ],
)
def test_a_remark_counts_for_a_class_and_what_must_be_mended_for_all(
    count, strict, ready
):
    assert doctor_report.is_ready(CHECKS[:count], strict) is ready
    assert (
        json.loads(doctor_report.as_json(CHECKS[:count], [], strict))["ready"] is ready
    )
    last = doctor_report.as_table(CHECKS[:count], [], strict).splitlines()[-1]
    assert last == ("ready" if ready else "not ready: see the lines with an arrow")


def test_the_table_for_one_person_and_for_a_class():
    common = [
        "✓    Python        3.11",
        "!    disk          little",
        "                   -> free some",
    ]
    one = [*common, "     all chapters run in about 3 min", "", "ready"]
    assert doctor_report.as_table(CHECKS[:2], ESTIMATES, False).splitlines() == one
    chapters = [
        "     02_data                    89 s  Know the data",
        "     03_stem                   2 min  From pixels to patches",
    ]
    end = [
        "     all of these chapters run in about 3 min",
        "",
        "not ready: see the lines with an arrow",
    ]
    assert doctor_report.as_table(CHECKS[:2], ESTIMATES, True).splitlines() == [
        *common,
        "",
        *chapters,
        *end,
    ]
    assert "run in about" not in doctor_report.as_table(CHECKS, ESTIMATES[2:], True)
    plain = doctor_report.as_table(CHECKS, [], False, plain=True).splitlines()
    assert (
        plain[0] == "ok   Python        3.11" and plain[3] == "MEND Keras         none"
    )


def test_json_has_checks_chapters_and_a_name_where_one_was_given():
    checks = [{"name": "Python", "state": "ok", "found": "3.11", "advice": ""}]
    text = doctor_report.as_json(CHECKS[:1], ESTIMATES[:1], False, "Zoë's")
    report = {
        "name": "Zoë's",
        "ready": True,
        "checks": checks,
        "chapters": ESTIMATES[:1],
    }
    assert json.loads(text) == report and list(json.loads(text)) == list(report)
    assert "Zoë" in text and text.count("\n") > 10  # to be read by people, too
    assert "name" not in json.loads(doctor_report.as_json(CHECKS[:1], [], False, ""))


def test_a_plan_names_its_chapters_and_pictures(tmp_path):
    part = '[[session.part]]\nchapter = "{}"\nminutes = 5\n'.format
    pause = '[[session.part]]\ntitle = "Break"\nminutes = 5\n'
    session = '[[session]]\ntitle = "One"\n'
    (tmp_path / "plan.toml").write_text(
        f"{session}{part('03_stem')}{pause}{part('02_data')}{session}{part('03_stem')}"
    )
    assert doctor_report.read_plan(tmp_path / "plan.toml") == (
        ["03_stem", "02_data", "03_stem"],
        None,
    )
    (tmp_path / "own.toml").write_text(f'dataset = "photos"\n{session}{pause}')
    assert doctor_report.read_plan(tmp_path / "own.toml") == (
        [],
        str(tmp_path / "photos"),
    )

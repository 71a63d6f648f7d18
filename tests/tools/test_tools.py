"""Every tool refuses a path that cannot be used in one line, before its work begins,
and leaves nothing behind.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(autouse=True)
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A place to work in: with a letter, links that lead in a circle, and a folder."""
    (tmp_path / "letter").write_text("dear reader")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(folder, capsys):
    def call(main, *arguments):
        before = sorted(folder.rglob("*"))
        capsys.readouterr()
        assert main(list(arguments)) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("error: ") and err.count("\n") == 1, err
        assert (
            sorted(folder.rglob("*")) == before
            and (folder / "letter").read_text() == "dear reader"
        )
        return err

    return call


@pytest.fixture
def no_training(monkeypatch):
    import controls
    import ladder

    for tool in (controls, ladder):
        monkeypatch.setattr(
            tool, "train", lambda *given, **options: pytest.fail("it trains")
        )


NO_PATHS = ["", "  ", "~nobody-has-this-name/x", "x" * 300, "loop", "loop/x", "a\0b"]


def as_option(name, path):
    return f"--{name}={path}"  # else argparse would take "-x" for an option


@pytest.mark.parametrize("path", [*NO_PATHS, "letter/runs"])
def test_the_paths_of_controls(refused, no_training, path):
    import controls

    refused(controls.main, as_option("out", path))
    refused(
        controls.main,
        "--out=runs",
        as_option("table", f"{path}.csv" if path == "letter/runs" else path),
    )


def test_the_table_of_controls(refused, no_training):
    import controls

    assert "a folder: give --table FILE" in refused(
        controls.main, "--out=runs", "--table=folder"
    )
    assert "letter" in refused(controls.main, "--out=letter")
    assert "invalid choice: 'cifar'" in refused(
        controls.main, "--out=runs", "--data=cifar"
    )


@pytest.mark.parametrize("path", NO_PATHS)
def test_the_paths_of_the_ladder(refused, no_training, path):
    import ladder

    refused(ladder.main, as_option("out", path))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--preset=imagenet"],
        ["--epochs=ten"],
        ["--set=depth"],
        ["--limit=-1"],
        ["--epochs=0"],
    ],
)
def test_the_settings_of_the_ladder(refused, arguments):
    import ladder

    refused(ladder.main, "--out=runs", "--preset=cifar10_cpu", *arguments)


@pytest.mark.parametrize("path", [*NO_PATHS, "letter", "letter/weights"])
def test_the_paths_of_the_export(refused, path):
    import export_web

    refused(export_web.main, as_option("out", path))


def test_an_export_that_lacks_a_record_makes_no_folder(refused, folder, monkeypatch):
    import export_web

    monkeypatch.setattr(export_web, "RECORDS", folder)
    refused(export_web.main, "--out=new/weights")


def test_an_export_follows_no_link_that_lies_in_wait(folder, monkeypatch):
    import export_web

    monkeypatch.setattr(export_web.secrets, "token_hex", lambda count: "0" * 2 * count)
    for name in ("shapes.part", f".{'0' * 12}.part"):
        (folder / name).symlink_to("letter")
    with pytest.raises(FileExistsError):
        export_web.write(folder, "shapes", [])
    assert (folder / "letter").read_text() == "dear reader"


@pytest.fixture
def bundle(monkeypatch):
    import bundle

    monkeypatch.setattr(bundle, "commit_of", lambda root: 0)
    monkeypatch.setattr(bundle, "collect", lambda *given: pytest.fail("it builds"))
    return bundle


@pytest.mark.parametrize("path", [*NO_PATHS, "letter", "folder"])
def test_the_paths_of_the_bundle(refused, bundle, path):
    refused(bundle.main, as_option("out", path))
    refused(
        bundle.main,
        as_option(
            "out",
            (
                f"{path}.zip"
                if path
                and path.strip()
                and "loop" not in path
                and path not in ("letter", "folder")
                else "letter/a.zip"
            ),
        ),
    )
    refused(bundle.main, as_option("kit", path))


def test_a_bundle_beside_a_name_that_is_taken(refused, bundle, folder):
    (folder / "a.zip").mkdir()
    (folder / "b.zip.sha256").mkdir()
    for name in ("a.zip", "b.zip"):
        assert "must name a file" in refused(bundle.main, f"--out={name}")


@pytest.mark.parametrize(
    "what", ["no plan", "a plan in Latin-1", "a plan that is a folder", "no student"]
)
def test_a_bundle_of_half_a_kit(refused, bundle, folder, what):
    (folder / "kit.json").write_text("{}")
    if what != "no student":
        (folder / "student").mkdir()
    if what == "a plan in Latin-1":
        (folder / "plan.toml").write_bytes(b'title = "\xe9"')
    if what == "a plan that is a folder":
        (folder / "plan.toml").mkdir()
    refused(bundle.main, "--out=a.zip", as_option("kit", folder))


def test_a_bundle_takes_nothing_from_behind_a_link(folder, bundle, tmp_path_factory):
    (folder / "student" / "_build").mkdir(parents=True)
    # is not packed
    (folder / "student" / "_build" / "link").symlink_to(folder / "letter")
    (folder / "plan.toml").write_text('dataset = "shapes"\n')
    bundle.take_kit(tmp_path_factory.mktemp("course"), folder)
    (folder / "student" / "notes.md").symlink_to(folder / "letter")
    with pytest.raises(
        bundle.PatchConvNetError, match="student/notes.md in --kit .* is a link"
    ):
        bundle.take_kit(tmp_path_factory.mktemp("course"), folder)


def test_a_folder_without_permission(folder, no_training, bundle, capsys):
    """For root neither: that has no such rights while the test lasts."""
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has no such rights")
    import controls
    import export_web
    from classroom import kit as classroom_kit

    calls = [(controls.main, "--out=folder/runs"),
             (controls.main, "--out=runs", "--table=folder/a.csv"),
             (bundle.main, "--out=folder/a.zip"), (bundle.main, "--kit=folder/kit"),
             (export_web.main, "--out=folder/weights"),
             (classroom_kit.main, "--plan=90min", "--out=folder/kit"),
             (classroom_kit.main, "--plan=folder/plan.toml", "--out=kit")]  # fmt: skip
    user = os.geteuid()
    (folder / "folder").chmod(0)
    os.seteuid(65534 if user == 0 else user)
    try:
        codes = [main(arguments) for main, *arguments in calls]
    finally:
        os.seteuid(user)
        (folder / "folder").chmod(0o700)
    err = capsys.readouterr().err
    assert codes == [2] * len(calls) and err.lower().count(
        "permission denied"
    ) == err.count("\n") == len(calls), err
    assert sorted(path.name for path in folder.iterdir()) == [
        "folder",
        "letter",
        "loop",
    ]


def test_hero_takes_no_arguments(refused):
    import hero

    assert "unrecognized arguments: --out" in refused(hero.main, "--out")


@pytest.mark.parametrize(
    "arguments",
    [
        ["steps"],
        ["shapes", "--seeds", "-1"],
        ["shapes", "--seeds", "one"],
        ["shapes", "--seeds"],
        ["--set"],
    ],
)
def test_what_the_benchmark_does_not_know_is_one_line(arguments):
    done = subprocess.run(
        [sys.executable, TOOLS / "benchmark.py", *arguments],
        capture_output=True,
        text=True,
    )
    assert (
        done.returncode == 2
        and done.stderr.startswith("error: ")
        and done.stderr.count("\n") == 1
    ), done.stderr

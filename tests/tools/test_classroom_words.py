"""Odd words in a plan, wherever a kit writes them."""

import ast
import html
import json
import os
import re
import shlex
import tomllib
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from markdown_it import MarkdownIt
from test_classroom_refusals import PLAN, ROOT, kit, plan, shown  # noqa: F401

from book_pages import build
from classroom import filling as classroom_filling
from classroom import kit as classroom_kit
from classroom import notebooks as classroom_notebooks
from classroom import pages as classroom_pages
from classroom import plan as classroom_plan
from classroom import slides as classroom_slides
from classroom import text as classroom_text
from patchconvnet import PatchConvNetError
from patchconvnet.data import pets

WORDS = [
    'a"b', "a'b\"c", "x\ny", '"); import os; os.remove("letter") #', "{x}",
    "back\\slash\\", "a: b", "<script>alert(1)</script>", "{{ 7 * 7 }}", "`code` ```",
    "- item", "1. item", "# heading #", "| cell | cell |", "**bold** _it_",
    "[link](https://a.b)", "![x](y)", "$x$ and $y$", "&amp; &", "(label)=", "% comment",
    "+++", "---", ":::{note}", "{ref}`x`", "\N{SNOWMAN} \N{GRINNING FACE}", "\x7f\x00",
    "=== ", "~~~", "> quote", "C:\\new",
]  # fmt: skip


def as_toml(text):
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def one_line(text):
    return re.sub(
        r"[\x00-\x1f\x7f]", "\N{REPLACEMENT CHARACTER}", " ".join(text.split())
    )


@pytest.mark.parametrize("words", WORDS)
def test_a_name_stays_that_string_in_code(words):
    assert ast.literal_eval(classroom_notebooks.literal(words)) == words
    cell = nbformat.v4.new_code_cell(
        "import os\ntry:\n    from patchconvnet.course.announcement import announce"
        "\nexcept ModuleNotFoundError:\n    raise"
    )
    made = classroom_notebooks._common(
        cell,
        classroom_filling.read("15_own_pictures").cells[1],
        f"{words}.npz",
    )
    loop = next(
        node for node in ast.walk(ast.parse(made.source)) if isinstance(node, ast.For)
    )
    assert ast.literal_eval(loop.iter) == (f"../data/{words}.npz", f"{words}.npz")
    assert (
        len(ast.parse(made.source).body) == 3
    )  # an import, the loop, the other import


@pytest.mark.parametrize("words", WORDS)
def test_words_are_no_markup(words):
    expected = one_line(words)
    text, kinds = shown(classroom_text.plain(words))
    assert text == expected and kinds == {
        "paragraph_open",
        "inline",
        "text",
        "paragraph_close",
    }
    text, kinds = shown(f"# {classroom_text.plain(words)}")
    assert text == expected and kinds == {
        "heading_open",
        "inline",
        "text",
        "heading_close",
    }
    text, _ = shown(f"| a |\n| --- |\n| {classroom_text.plain(words)} |")
    assert text == f"a{expected}"
    tokens = MarkdownIt("commonmark").parse(f"The {classroom_text.code(words)}.")
    assert [child.type for child in tokens[1].children] == [
        "text",
        "code_inline",
        "text",
    ]
    assert tokens[1].children[1].content == " ".join(words.split()).replace(
        "\0", "\N{REPLACEMENT CHARACTER}"
    )


@pytest.mark.parametrize("words", WORDS)
def test_a_plan_with_such_words_makes_good_pages(tmp_path, words):
    path = tmp_path / "plan.toml"
    path.write_text(
        PLAN.replace('"A test"', as_toml(words))
        .replace('"A school"', as_toml(words))
        .replace('"One"', as_toml(words)),
        encoding="utf-8",
    )
    plan = classroom_plan.read_plan(path)
    chapter = classroom_filling.read("01_overview")
    settings = yaml.safe_load(
        yaml.safe_dump(
            classroom_pages._settings(plan), sort_keys=False, allow_unicode=True
        )
    )
    assert settings["title"] == settings["author"] == words
    page, kinds = shown(classroom_pages._first_page(plan, [chapter]))
    assert (
        page.startswith(one_line(words) + one_line(words) + ". Questions")
        and "html_block" not in kinds
    )
    page, kinds = shown(classroom_pages.schedule(plan, {"01_overview": "Title"}))
    assert (
        page.startswith(f"Schedule{one_line(words)} (40 minutes)timeminutes")
        and "html_block" not in kinds
    )
    out = tmp_path / words.replace("/", " ").replace("\0", " ")
    tokens = MarkdownIt("commonmark").parse(
        classroom_pages.instructions(plan, out, f"{words}.npz")
    )
    commands = [token.content for token in tokens if token.type == "fence"]
    assert len(commands) == 2 and shlex.split(commands[1], comments=True)[2:6] == [
        "--plan",
        str(out / "plan.toml"),
        "--out",
        str(out),
    ]
    changed = classroom_plan.with_dataset(path.read_text(), words)
    assert tomllib.loads(changed) == tomllib.loads(path.read_text()) | {
        "dataset": words
    }


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", "a `b` {{ c }} $d$", "x\n# y"]
)
def test_words_on_slides(tmp_path, words):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN.replace('"A test"', as_toml(words)))
    chapter = classroom_filling.read("01_overview")
    page = classroom_slides.slides_of(chapter, [], classroom_plan.read_plan(path))
    [found] = re.findall(r'<span class="tex2jax_ignore">(.*?)</span>', page)[:1]
    assert html.unescape(found) == one_line(words) and "<script>alert" not in page


@pytest.mark.parametrize("printed", [pets.CREDIT + "\n", "0.93\n", None])
def test_a_slide_keeps_whose_photographs_a_figure_shows(printed):
    node = nbformat.v4.new_code_cell("show(pets)")
    node.outputs = [nbformat.v4.new_output("display_data", {"image/png": "AAAA"})]
    if printed:
        node.outputs.append(nbformat.v4.new_output("stream", text=printed))
    slide = classroom_slides._picture(node).source
    assert slide.startswith("<img ")
    credit = f"<p><small>{pets.CREDIT}</small></p>"
    assert slide.endswith(credit) == ("CC BY-SA" in (printed or ""))
    assert "0.93" not in slide


def test_a_slide_shows_a_table_and_no_player():
    node = nbformat.v4.new_code_cell("show()")
    shown = {"text/html": "<table>\n</table>"}, {"text/html": "<section></section>"}
    node.outputs = [nbformat.v4.new_output("display_data", data) for data in shown]
    node.outputs.append(nbformat.v4.new_output("stream", text="0.93\n"))
    kept = classroom_slides._code(node).outputs
    assert kept == [node.outputs[0], node.outputs[2]]


def test_a_book_shows_such_words(tmp_path):
    """The theme takes some of them for HTML: the institution, the title in the sidebar,
    in the search and where it is printed.
    """
    words = as_toml(
        "- <script>alert(1)</script> {{ 7 * 7 }} | {ref}`x` $y$ [z](z)\n# % <script>"
    )
    (tmp_path / "plan.toml").write_text(
        PLAN.replace('"A test"', words)
        .replace('"A school"', words)
        .replace('"One"', words)
        .replace('"Ask."', words)
        .replace("a@example.org", "<script>")
    )
    classroom_kit.make(tmp_path / "plan.toml", tmp_path / "kit")
    result = build(tmp_path / "kit" / "student", tmp_path / "kit" / "student")
    assert result.returncode == 0, result.stderr
    pages = {
        path: path.read_text(encoding="utf-8")
        for path in (tmp_path / "kit").rglob("*.html")
    }
    assert len(pages) > 6 and not [
        path
        for path, page in pages.items()
        if "<script>alert" in page or "{ref}<" in page or "> 49 " in page
    ]
    first = pages[tmp_path / "kit" / "student" / "_build" / "html" / "intro.html"]
    assert (
        "- &lt;script&gt;alert(1)&lt;/script&gt; {{ 7 * 7 }} | {ref}`x` $y$ [z](z) # %"
        " &lt;script&gt;" in first
    )


@pytest.mark.parametrize(
    "text",
    [
        f'note = """\ndataset = "x"\n"""\n{PLAN}',
        f'"dataset" = "x"\n{PLAN}',
        f"dataset = '''\nx'''\n{PLAN}",
    ],
)
def test_a_dataset_that_cannot_be_changed_is_told(text):
    with pytest.raises(
        PatchConvNetError,
        match="dataset cannot be changed: write it as a line of its own",
    ):
        classroom_plan.with_dataset(text, "other")


def test_pictures_with_such_a_name_run_through(tmp_path, monkeypatch):
    """The whole kit, its first cell executed; a kit made so can be made again."""
    name = 'a"; x = {1}\n#.npz'
    dice = np.random.default_rng(0)
    np.savez(
        tmp_path / name,
        images=dice.integers(256, size=(60, 8, 8, 3), dtype=np.uint8),
        labels=np.arange(60) % 2,
    )
    (tmp_path / "plan.toml").write_text(
        f"dataset = {as_toml(name)}\n{PLAN.replace('01_overview', '15_own_pictures')}"
    )
    monkeypatch.setattr(classroom_filling, "run_on", lambda *given: None)
    for path in (tmp_path / "plan.toml", tmp_path / "kit" / "plan.toml"):
        classroom_kit.make(path, tmp_path / "kit")
    student = nbformat.read(
        tmp_path / "kit" / "student" / "chapters" / "15_own_pictures.ipynb",
        as_version=4,
    )
    first = next(cell for cell in student.cells if cell.cell_type == "code").source
    monkeypatch.chdir(tmp_path / "kit" / "student" / "chapters")
    monkeypatch.delenv("PATCHCONVNET_DATASET", raising=False)
    exec(re.sub(r"(?m)^ *%pip.*$", "    pass", first), {})
    assert (
        Path(os.environ.pop("PATCHCONVNET_DATASET")).resolve()
        == tmp_path / "kit" / "student" / "data" / name
    )

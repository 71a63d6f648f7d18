"""What a download says on the way."""

import io
import sys

import pytest
from test_download_borders import Answer, hosts  # noqa: F401
from test_download_limits import sha256

from patchconvnet.data.download import fetch

pytestmark = pytest.mark.usefixtures("no_network_settings")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(hosts, folder, monkeypatch, pieces, seconds, live, length=None, start=0):
    """What stands on standard error after a download of so many bytes a piece."""
    content = bytes(start + sum(pieces))
    if start:
        (folder / "file.partial").write_bytes(content[:start])
    answer = Answer([bytes(size) for size in pieces], seconds, hosts.clock, length)
    if start:
        answer.status, answer.headers = 206, {"Content-Range": f"bytes {start}-"}
    urls, _ = hosts(only=[answer])
    stream = Terminal() if live else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    fetch(urls, folder / "file", sha256(content), minimum_rate=0)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "drawn"),
    [(0.19, [1, 3, 5, 6]), (0.21, [1, 2, 3, 4, 5, 6]), (0.11, [1, 3, 5, 6])],
)
def test_a_terminals_line_changes_five_times_a_second(
    hosts, tmp_path, monkeypatch, seconds, drawn
):
    text = shown(
        hosts, tmp_path, monkeypatch, [100_000] * 6, seconds, live=True, length=600_000
    )
    first, line, last = text.split("\n")
    assert first == "file from only, 0.6 MB: begins" and last == ""
    rate = f"{0.1 / seconds:.2f} MB/s"
    assert line == "".join(
        f"\rfile from only: {0.1 * n:6.1f} MB of 0.6 ({n / 6:4.0%}), {rate}\033[K"
        for n in drawn
    )


def test_a_terminals_line_tells_no_share_of_what_is_not_known(
    hosts, tmp_path, monkeypatch
):
    text = shown(
        hosts,
        tmp_path,
        monkeypatch,
        [2_000_000, 500_000],
        1.0,
        live=True,
        start=1_500_000,
    )
    lines = (
        "\rfile from only:    3.5 MB, 2.00 MB/s\033[K\rfile from only:    4.0 MB, 1.25"
        " MB/s\033[K\n"
    )
    assert text == f"file from only: going on at 1.5 MB\n{lines}"


@pytest.mark.parametrize(
    ("start", "pieces", "told"),
    [
        # at each tenth, once, whatever was passed over
        (0, [9, 1, 5, 20, 64, 1], [10, 35, 99, 100]),
        (0, [100], [100]),
        (15, [4, 1, 9, 1, 70], [20, 30, 100]),
        (20, [9, 1, 70], [30, 100]),
    ],
)
def test_a_log_gets_a_line_at_each_tenth(
    hosts, tmp_path, monkeypatch, start, pieces, told
):
    pieces = [10_000 * piece for piece in pieces]
    text = shown(
        hosts,
        tmp_path,
        monkeypatch,
        pieces,
        1.0,
        live=False,
        length=sum(pieces),
        start=10_000 * start,
    )
    first, *lines = text.splitlines()
    assert (
        first == "file from only, 1.0 MB:"
        f" {f'going on at {start / 100:.1f} MB' if start else 'begins'}"
    )
    wanted = [
        f"file from only: {share / 100:6.1f} MB of 1.0 ({share / 100:4.0%}"
        for share in told
    ]
    assert [line.partition("), ")[0] for line in lines] == wanted


def test_a_log_of_an_unknown_length_says_where_it_begins(hosts, tmp_path, monkeypatch):
    assert (
        shown(hosts, tmp_path, monkeypatch, [1_000_000] * 3, 1.0, live=False)
        == "file from only: begins\n"
    )


def test_what_takes_no_time_is_no_division_by_zero(hosts, tmp_path, monkeypatch):
    assert shown(hosts, tmp_path, monkeypatch, [4], 0.0, live=False, length=4).endswith(
        " (100%), 4.00 MB/s\n"
    )

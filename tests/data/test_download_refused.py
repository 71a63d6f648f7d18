"""The downloader without a network, without room, and where it may not write."""

import os
import socket
import sys
import time

import pytest
from test_download import CONTENT, LONG, QUICK, SHA256, server  # noqa: F401

from patchconvnet.data import download
from patchconvnet.data.download import fetch
from patchconvnet.errors import PatchConvNetError

pytestmark = pytest.mark.usefixtures("no_network_settings")


@pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="this system has no /dev/full"
)
def test_a_disk_that_fills_up_is_named_and_other_hosts_are_not_tried(
    server, tmp_path, monkeypatch
):
    usual = download._open_no_link
    full = lambda path, flags: usual(
        "/dev/full" if str(path).endswith(".partial") else path, flags
    )
    monkeypatch.setattr(download, "_open_no_link", full)
    with pytest.raises(PatchConvNetError, match="disk is full: .*file.partial"):
        fetch(server.urls("good", "good"), tmp_path / "file", SHA256, **QUICK)
    assert len(server.requests) == 1 and not (tmp_path / "file").exists()


def test_too_little_space_is_said_before_a_byte_is_written(
    server, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        download.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000})
    )
    with pytest.raises(PatchConvNetError, match="disk is full: .* needs 0.4 MB more"):
        fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)
    assert not (tmp_path / "file.partial").exists()


def test_a_folder_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "occupied").write_text("a file")
    with pytest.raises(PatchConvNetError, match="occupied.* cannot be written"):
        fetch(server.urls("good"), tmp_path / "occupied" / "file", SHA256, **QUICK)


def test_offline_fails_at_once(tmp_path, monkeypatch):
    def unknown(*arguments, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    began = time.monotonic()
    with pytest.raises(PatchConvNetError, match="no network.*one.invalid, two.invalid"):
        fetch(
            ["https://one.invalid/file", "https://two.invalid/file"],
            tmp_path / "file",
            SHA256,
        )
    assert time.monotonic() - began < LONG / 2  # it would wait for 15 seconds


def test_a_name_server_that_answers_for_one_host_late_does_not_hold_up_the_other(
    server, tmp_path, monkeypatch
):
    look_up = socket.getaddrinfo

    def slow_for_one(host, *arguments, **options):
        if host == "one.invalid":
            server.over.wait(60)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow_for_one)
    began = time.monotonic()
    fetch(
        [*server.urls("good"), "http://one.invalid/file"],
        tmp_path / "file",
        SHA256,
        **QUICK,
    )
    assert time.monotonic() - began < LONG / 2  # it would wait for 15 seconds


def test_the_offline_variable_forbids_any_request(server, tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHCONVNET_OFFLINE", "1")
    with pytest.raises(PatchConvNetError, match="PATCHCONVNET_OFFLINE"):
        fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)
    monkeypatch.setenv("PATCHCONVNET_OFFLINE", "0")
    assert server.requests == []
    fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="this system follows links")
@pytest.mark.parametrize("suffix", ["partial", "lock"])
def test_a_link_is_not_followed_and_what_it_leads_to_stays(server, tmp_path, suffix):
    victim, link = tmp_path / "letter", tmp_path / f"file.{suffix}"
    victim.write_bytes(CONTENT)  # even where it is what was wanted: it may change
    link.symlink_to(victim)
    with pytest.raises(
        PatchConvNetError,
        match=f"file.{suffix} is a link or no file: delete it and repeat",
    ):
        fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)
    assert (
        victim.read_bytes() == CONTENT
        and link.is_symlink()
        and not os.path.lexists(tmp_path / "file")
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes among files here")
@pytest.mark.parametrize("suffix", ["partial", "lock"])
def test_a_pipe_is_not_waited_for(server, tmp_path, suffix):
    os.mkfifo(tmp_path / f"file.{suffix}")
    with pytest.raises(PatchConvNetError, match=f"file.{suffix} is a link or no file"):
        fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)


@pytest.mark.skipif(sys.platform == "win32", reason="no lock file on Windows")
def test_the_lock_file_keeps_what_is_in_it(server, tmp_path):
    (tmp_path / "file.lock").write_text("mine")
    fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)
    assert (tmp_path / "file.lock").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["", "~nobody-of-this-name/file", "x" * 250, "x" * 300, "a\0b"]
)
def test_a_destination_that_cannot_be_used_is_named(server, name):
    with pytest.raises(PatchConvNetError, match="is no path|cannot be used"):
        fetch(server.urls("good"), name, SHA256, **QUICK)
    assert server.requests == []

"""What a laptop installs without a network: wheels of the course and of all it needs.

`tools/bundle.py --wheels` packs them. `pip download --platform` asks which requirements
hold of the machine that it runs on; here `packaging` asks it of the laptop.
"""

import contextlib
import importlib.metadata
import platform
import re
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import default_environment
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

from command import run
from patchconvnet.errors import PatchConvNetError

PIP = [sys.executable, "-m", "pip", "-qq"]  # of its lines, errors alone
NO_WHEEL = re.compile("No matching distribution|Cannot install")
LINUX = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux"}
GLIBC = range(17, 29)  # 2.17 to 2.28: a Linux of 2019 has 2.28
# For each kind of laptop: its name, its tags in names of wheels, and its markers.
KINDS = {
    "windows": (
        "Windows",
        ["win_amd64"],
        {
            "os_name": "nt",
            "sys_platform": "win32",
            "platform_system": "Windows",
            "platform_machine": "AMD64",
        },
    ),
    "macos": (
        "a Mac with Apple's own chip",
        ["macosx_12_0_arm64"],
        {
            "os_name": "posix",
            "sys_platform": "darwin",
            "platform_system": "Darwin",
            "platform_machine": "arm64",
        },
    ),
    "linux": (
        "Linux",
        ["manylinux2014_x86_64", *(f"manylinux_2_{n}_x86_64" for n in GLIBC)],
        LINUX | {"platform_machine": "x86_64"},
    ),
    "linux-arm": (
        "Linux on ARM",
        ["manylinux2014_aarch64", *(f"manylinux_2_{n}_aarch64" for n in GLIBC)],
        LINUX | {"platform_machine": "aarch64"},
    ),
}
PYTHONS = ("3.11", "3.12", "3.13")
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@dataclass(frozen=True)
class Laptop:
    """What wheels are for: a kind of `KINDS`, or None for a machine like this one.

    `python` is its version, as in "3.12".
    """

    kind: str | None = None
    python: str = HERE

    def name(self):
        if self.kind is None:
            return f"{platform.system()} {platform.machine()}"
        return KINDS[self.kind][0]

    def is_here(self):
        return self.kind is None and self.python == HERE

    def full_python(self):
        """Its whole version: of another machine's, what fits any 3.12 fits 3.12.0."""
        return platform.python_version() if self.is_here() else f"{self.python}.0"

    def options(self):
        """Which wheels pip shall take: its options."""
        tags = KINDS[self.kind][1] if self.kind else ()
        version = [] if self.is_here() else [f"--python-version={self.python}"]
        return [*version, *(f"--platform={tag}" for tag in tags)]

    def holds(self, requirement, extras=()):
        """Whether the laptop needs a requirement, of one who has these extras."""
        if requirement.marker is None:
            return True
        markers = {**default_environment(), "python_version": self.python}
        markers["python_full_version"] = self.full_python()
        if self.kind:
            markers |= KINDS[self.kind][2]
        return any(
            requirement.marker.evaluate(markers | {"extra": extra})
            for extra in ("", *extras)
        )


def collect(source, folder, laptops):
    """Fill `folder` with wheels for all `laptops`, and with their `requirements.txt`.

    Args:
        source: the course's folder. Its requirements.txt says what is needed; the line
            `-e .` becomes a wheel of the course itself. Building writes into it.
        folder: a new folder.
        laptops: a list of `Laptop`.

    Raises:
        PatchConvNetError: if pip cannot get a wheel, or two requirements contradict
            each other.
    """
    folder.mkdir()
    build = [*PIP, "wheel", "--no-deps", "--wheel-dir", str(folder), str(source)]
    run(build, "the course's own wheel cannot be built", source)
    [own] = folder.iterdir()
    name, version, *_ = parse_wheel_filename(own.name)
    text = (source / "requirements.txt").read_text(encoding="utf-8")
    lines = [line.split(" #")[0].strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    lines = [f"{name}=={version}" if line == "-e ." else line for line in lines]
    wanted = [Requirement(line) for line in lines]
    for laptop in laptops:
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            shutil.copy2(own, work)
            _resolve(wanted, Path(work), laptop)
            for wheel in Path(work).iterdir():
                shutil.move(wheel, folder / wheel.name)
    pins = "".join(f"{line}\n" for line in lines)
    (folder / "requirements.txt").write_text(pins, encoding="utf-8")


def _resolve(wanted, folder, laptop):
    """Download what a laptop needs of `wanted`, and what that needs in turn."""
    todo, asked = [one for one in wanted if laptop.holds(one)], []
    while todo:
        asked += todo
        have = _wheels(folder)
        if missing := [one for one in todo if _name(one) not in have]:
            _download(missing, folder, laptop)
            have = _wheels(folder)
        seen = {_key(one) for one in asked}
        todo = [
            need
            for one in todo
            for need in have[_name(one)].requires_dist or ()
            if laptop.holds(need, one.extras) and _key(need) not in seen
        ]
    for one in asked:
        version = have[_name(one)].version
        if not one.specifier.contains(version, prereleases=True):
            raise PatchConvNetError(
                f"no wheels fit {laptop.name()}, Python {laptop.python}: {one.name}"
                f" {version} would be taken, and {one.name}{one.specifier} is needed,"
                " too. Make the zip on such a laptop"
            )


def _download(missing, folder, laptop):
    """Fetch a wheel for each: the version that is installed here, if it may be.

    Those versions were tried together.
    """
    wanted = {}
    for one in missing:
        name = _name(one)
        wanted[name] = wanted.get(name, SpecifierSet()) & one.specifier
    for name in wanted:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            here = importlib.metadata.distribution(name)
            pythons = SpecifierSet(here.metadata["Requires-Python"] or "")
            fits = wanted[name].contains(here.version, prereleases=True)
            if fits and pythons.contains(laptop.full_python()):
                wanted[name] &= SpecifierSet(f"=={here.version}")
    fetch = [*PIP, "download", "--no-deps", "--only-binary=:all:", "--dest", "."]
    run(
        [*fetch, *laptop.options(), *(f"{name}{wanted[name]}" for name in wanted)],
        f"wheels for {laptop.name()}, Python {laptop.python}, cannot be fetched (this"
        " needs a network)",
        folder,
        NO_WHEEL,
    )


def _wheels(folder):
    """What the wheels in a folder say of themselves, by name."""
    found = {}
    for path in folder.iterdir():
        name, version, *_ = parse_wheel_filename(path.name)
        with zipfile.ZipFile(path) as wheel:
            [place] = (
                entry
                for entry in wheel.namelist()
                if entry.count("/") == 1 and entry.endswith(".dist-info/METADATA")
            )
            found[name] = Metadata.from_email(wheel.read(place), validate=False)
    return found


def _name(requirement):
    return canonicalize_name(requirement.name)


def _key(requirement):
    extras = frozenset(requirement.extras)
    return _name(requirement), extras, str(requirement.specifier)

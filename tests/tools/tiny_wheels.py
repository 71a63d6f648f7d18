"""Wheels of a few lines, and a build backend that makes one: pip needs no network."""

import zipfile
from pathlib import Path

COURSE = "patchconvnet", "1.2.3", ("leaf>=1",)


def write_wheel(folder, name, version="1.0", requires=(), tag="py3-none-any"):
    """A wheel with a module of its name; returns the file's name."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": metadata
        + "".join(f"Requires-Dist: {one}\n" for one in requires),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{one},,\n" for one in [*files, "RECORD"])
    path = Path(folder, f"{name}-{version}-{tag}.whl")
    with zipfile.ZipFile(path, "w") as wheel:
        for one, text in files.items():
            wheel.writestr(one, text)
    return path.name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """What pip calls where this file is the backend of a project."""
    return write_wheel(wheel_directory, *COURSE)

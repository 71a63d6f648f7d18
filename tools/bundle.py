"""Pack the course into one zip for a class without a network.

    python tools/bundle.py                        # dist/patchconvnet-course-VERSION.zip
    python tools/bundle.py --out course.zip
    python tools/bundle.py --kit ../my-class      # a class's own book and notebooks, in
                                                  # place of the course's (see
                                                  # tools/classroom.py)
    python tools/bundle.py --wheels               # and all that is to be installed, for
                                                  # laptops like this one
    python tools/bundle.py --wheels --platform windows macos --python 3.13

It takes what is committed, builds the book from that, and draws the test pictures of
Shapes. So nothing stale and nothing private gets in, and the same commit gives the same
bytes (with the same versions of everything). A checksum is written beside the zip.
About a minute. The wheels are of the versions that are installed here, and take a
few minutes and a network.

In the zip is one folder:

    START-HERE.html   leads to the book, and says how to run the notebooks
    book/             its pages: they need no server and no network
    shapes_test.npz   2,000 test pictures, labels and masks, for those who work without
                      our package
    SHA256SUMS        checks every other file: sha256sum -c SHA256SUMS
    wheels/           with --wheels, about 500 MB for one kind of laptop
    README.md,
    chapters/,
    patchconvnet/...  the course as in its repository;
                      of a kit: student/, plan.toml, the package, a README for students
"""

import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import time
import tomllib
import zipfile
from pathlib import Path

# TensorFlow's start-up notes would drown the one line that matters
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import handout
import wheels
from classroom.for_students import without_notes
from classroom.plan import read_plan, with_dataset
from command import Parser, check_utf8, in_one_line, run
from patchconvnet.course import plans
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.files import place, written_aside

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = 60_000_000  # without wheels
# needed with a kit
PACKAGE = (
    "patchconvnet",
    "pyproject.toml",
    "requirements.txt",
    "requirements-backends.txt",
    "LICENSE",
    "LICENSE-text.md",
    "CITATION.cff",
)
NOBODY = "https://github.com/OWNER/"  # how the address of nobody's course begins
JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"
# Run in the folder of the commit: its package draws, not one that may be installed.
DRAW = """
import numpy
from patchconvnet import load_dataset
shapes = load_dataset("shapes", train=1, val=0)
numpy.savez_compressed(
    "shapes_test.npz",
    images=shapes.x_test,
    labels=shapes.y_test,
    masks=shapes.mask_test,
    class_names=shapes.class_names,
)
"""


def commit_of(root):
    """When the last commit in `root` was made, in seconds since 1970.

    What is packed is that commit.

    Raises:
        PatchConvNetError: if there is none, or files differ from it.
    """
    if not (root / ".git").exists():
        raise PatchConvNetError(
            f"{root} is no git clone. A bundle is made of a commit: clone the course"
            " with git"
        )
    ask = ["git", "status", "--porcelain", "--untracked-files=no"]
    changed = run(ask, "git cannot read the clone", root).splitlines()
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise PatchConvNetError(
            f"{changed[0][3:]}{more}: changed, not committed. A bundle is made of a"
            " commit: commit first"
        )
    return int(run(["git", "log", "-1", "--format=%ct"], "git finds no commit", root))


def check_kit(kit):
    """An error if `kit` is no kit."""
    if not (kit / "kit.json").is_file() or not (kit / "student").is_dir():
        shown = one_line(kit)
        raise PatchConvNetError(
            f"--kit {shown}: no kit is there. Make one: python tools/classroom.py"
            f" --plan 90min --out {shown}"
        )
    check_utf8(kit.resolve(), "a kit")
    plans.read_text(kit / "plan.toml")


def take_kit(folder, kit):
    """Leave of the course in `folder` the package alone, and add a kit's book.

    Raises:
        PatchConvNetError: if the kit has links: what they lead to may be private.
    """
    for item in folder.iterdir():
        if item.name not in PACKAGE:
            shutil.rmtree(item) if item.is_dir() else item.unlink()
    for name in ("pyproject.toml", "CITATION.cff"):
        if (folder / name).exists():
            lines = (folder / name).read_text(encoding="utf-8").splitlines(True)
            text = "".join(line for line in lines if NOBODY not in line)
            (folder / name).write_text(text, encoding="utf-8")
    ignored = shutil.ignore_patterns("_build", ".*", "__pycache__")
    shutil.copytree(
        (kit / "student").resolve(), folder / "student", symlinks=True, ignore=ignored
    )
    for path in (folder / "student").rglob("*"):
        if path.is_symlink():
            raise PatchConvNetError(
                f"{one_line(path.relative_to(folder))} in --kit {one_line(kit)} is a"
                " link: put the file itself there"
            )
    plan = without_notes(plans.read_text(kit / "plan.toml"))
    # one at most; the plan may name a place outside
    for pictures in sorted((folder / "student").glob("data/*.npz")):
        plan = with_dataset(plan, pictures.relative_to(folder).as_posix())
    (folder / "plan.toml").write_text(plan, encoding="utf-8")


def collect(root, folder, work, seconds, kit=None, laptops=()):
    """Fill `folder` with everything that is packed; what is not, lies in `work`."""
    if importlib.util.find_spec("jupyter_book") is None:
        raise PatchConvNetError(
            "jupyter-book is not installed: pip install -r requirements.txt"
        )
    archive = work / "commit.zip"
    take = ["git", "archive", "--output", str(archive), "HEAD"]
    run(take, "git cannot write the commit", root)
    shutil.unpack_archive(archive, folder)
    source, guide = folder, handout.Guide("chapters", laptops)
    if kit is not None:
        take_kit(folder, kit)
        source, guide = folder / "student", handout.Guide("student/chapters", laptops)
        text = handout.readme(guide, read_plan(folder / "plan.toml"))
        (folder / "README.md").write_text(text, encoding="utf-8")
    environment = {
        **os.environ,
        "SOURCE_DATE_EPOCH": str(seconds),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    build = [sys.executable, "-c", JUPYTER_BOOK, "build", "."]
    build += ["--path-output", str(work), "--all", "-W", "-n", "--keep-going"]
    run(build, "the book cannot be built", source, env=environment)
    shutil.move(work / "_build" / "html", folder / "book")
    run([sys.executable, "-c", DRAW], "Shapes cannot be drawn", folder, env=environment)
    if laptops:
        shutil.unpack_archive(archive, work / "course")  # building writes into it
        wheels.collect(work / "course", folder / "wheels", laptops)
    page = handout.start_page(guide)
    (folder / "START-HERE.html").write_text(page, encoding="utf-8")
    lines = [
        f"{digest(path)}  {path.relative_to(folder).as_posix()}\n"
        for path in files_in(folder)
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pack(folder, out, seconds):
    """Write `folder` as the zip `out`. Every file bears the time of the commit.

    Raises:
        PatchConvNetError: if it is too large.
    """
    moment = time.gmtime(seconds)[:6]
    with zipfile.ZipFile(out, "w") as bundle:
        for path in files_in(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), moment)
            # a plain file, on whatever system
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            # a wheel is a zip already
            stored = path.suffix == ".whl"
            method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            bundle.writestr(entry, path.read_bytes(), method, compresslevel=9)
    packed = sum(path.stat().st_size for path in folder.glob("wheels/*.whl"))
    if (size := out.stat().st_size - packed) > MOST_BYTES:
        size = f"{size / 1e6:.0f} MB, more than {MOST_BYTES / 1e6:.0f}"
        raise PatchConvNetError(
            f"the bundle would have {size}: take something large out of the course"
        )


def make(root, out=None, kit=None, laptops=()):
    """Make the bundle of the clone `root`, or of a class's `kit`: the path of the zip.

    By default it lies under `dist`. The checksum of the zip is written beside it. It
    has wheels for `laptops`, a list of `wheels.Laptop`.

    Raises:
        PatchConvNetError: if something is missing, fails or does not fit. A zip that is
            there already stays as it was.
    """
    if kit is not None:
        kit = place(kit)
        check_kit(kit)
    seconds = commit_of(root)
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    packed = "patchconvnet-course" if kit is None else kit.resolve().name
    name = f"{packed}-{project['project']['version']}"
    out = root / "dist" / f"{name}.zip" if out is None else place(out)
    beside = place(out.with_name(f"{out.name}.sha256"))
    if out.suffix != ".zip" or out.is_dir() or beside.is_dir():
        raise PatchConvNetError(
            f"--out must name a file that ends in .zip, not {one_line(out)}"
        )
    check_utf8(out, "the zip")
    with (
        written_aside(out) as aside,
        written_aside(beside) as sum_aside,
        tempfile.TemporaryDirectory() as work,
    ):
        folder = Path(work, name)
        collect(root, folder, Path(work), seconds, kit, laptops)
        pack(folder, aside, seconds)
        sum_aside.write_text(f"{digest(aside)}  {out.name}\n", encoding="utf-8")
    return out


@in_one_line
def main(arguments=None):
    parser = Parser(__doc__)
    parser.add_argument(
        "--out",
        help="the zip to write; default: dist/patchconvnet-course-VERSION.zip, or"
        " dist/KIT-VERSION.zip",
    )
    parser.add_argument(
        "--kit",
        metavar="DIR",
        help="pack the kit of a class, made by tools/classroom.py",
    )
    parser.add_argument(
        "--wheels",
        action="store_true",
        help="pack all that is to be installed, too: laptops need no network",
    )
    parser.add_argument(
        "--platform",
        nargs="+",
        choices=sorted(wheels.KINDS),
        help="the kinds of laptops that the wheels are for; default: one like this",
    )
    parser.add_argument(
        "--python",
        choices=wheels.PYTHONS,
        help="the Python that the laptops have; default: this one",
    )
    options = parser.parse_args(arguments)
    if not options.wheels and (options.platform or options.python):
        raise PatchConvNetError("--platform and --python say what --wheels are for")
    laptops = [
        wheels.Laptop(kind, options.python or wheels.HERE)
        for kind in (options.platform or [None] if options.wheels else ())
    ]
    out = make(ROOT, options.out, options.kit, laptops)
    print(
        f"{one_line(out)}: {out.stat().st_size / 1e6:.1f} MB. Its checksum is in"
        f" {one_line(out.name)}.sha256"
    )


if __name__ == "__main__":
    sys.exit(main())

"""Train what the course records on a GPU, in order of worth, in the time there is.

    python tools/gpu_records.py --out DIR --minutes 9
    python tools/gpu_records.py --out DIR --minutes 2 --epochs 1 --limit 600 \\
        --set dim=16 --set depth=1 --set-yardstick width=8     # a try, on a CPU

These are: preset cifar10, seeds 0, 1 and 2; the yardstick; keras_example, seeds 1 and
2; the ladder of recipes. Several are trained side by side, as each leaves the GPU idle
while it compiles. A run that has finished is packed: DIR/packed/NAME-seed_N.tar.gz.
When time is up, runs are ended. The same command goes on from their last whole epochs.

Exit code: 0 when all have finished, 1 if some have failed, 2 for bad input, 3 when
time ran out and nothing has failed.
"""

import json
import os
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

# and nothing that computes: the GPU is left to the runs
from command import Parser, in_one_line
from patchconvnet.errors import PatchConvNetError, none_or, number, one_line, whole
from patchconvnet.files import held, place, written_aside

TOOLS = Path(__file__).resolve().parent
# seconds until a run has its first whole epoch, by estimate: Keras starts, the data are
# read, the network is compiled. With less left, none is begun.
STARTING = 50
OFTEN = 15  # seconds from one word on progress to the next
LARGEST = 16 * 2**20  # bytes of a packed run
TIME_IS_UP = 3  # exit code
MINUTES = number(1, 10_000, "a number, at least 1")  # so that something is begun
TOGETHER = whole(1, 16)
EPOCHS, LIMIT = none_or(whole(1, 100_000)), none_or(whole(1, 1_000_000_000))


@dataclass(frozen=True)
class Job:
    """One child process: what it is called, and Python's arguments but for --out."""

    name: str
    seed: int
    words: tuple

    def __str__(self):
        return f"{self.name}/seed_{self.seed}"

    def archive(self, out):
        return out / "packed" / f"{self.name}-seed_{self.seed}.tar.gz"

    def log(self, out):
        return out / "logs" / f"{self.name}-seed_{self.seed}.txt"


def jobs(plan):
    """All that is to be trained, the most valuable first: a list of `Job`.

    `plan` is a dict: "epochs" and "limit", whole numbers or None; "set" and
    "set_yardstick", lists of NAME=VALUE.
    """
    common = ()
    for name in ("epochs", "limit"):
        if plan[name] is not None:
            common += (f"--{name}", str(plan[name]))
    ours, other = (
        tuple(word for text in plan[name] for word in ("--set", text))
        for name in ("set", "set_yardstick")
    )

    def preset(name, seed):
        # the first is shipped whole, others give the spread
        keep = () if seed == 0 else ("--keep", "scores")
        train = ("-m", "patchconvnet", "train", "--preset", name, "--seed", str(seed))
        return Job(name, seed, (*train, *keep, *common, *ours))

    return [
        *(preset("cifar10", seed) for seed in (0, 1, 2)),
        Job("yardstick", 0, (str(TOOLS / "yardstick.py"), *common, *other)),
        *(preset("keras_example", seed) for seed in (1, 2)),
        Job("ladder", 0, (str(TOOLS / "ladder.py"), *common, *ours)),
    ]


# === one child process ===


def start(job, out, together):
    """Start a job as one of `together`: a `subprocess.Popen`.

    All that it says goes to its log.
    """
    usual = {
        # else the first child of JAX's takes three quarters of the memory
        "XLA_PYTHON_CLIENT_MEM_FRACTION": f"{0.9 / together:.3f}",
        # and TensorFlow's all of it
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "PYTHONUNBUFFERED": "1",  # the log of one that is ended has its last line
    }
    log = job.log(out)
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as file:
        return subprocess.Popen(
            [sys.executable, *job.words, "--out", str(out / str(job))],
            env=usual | os.environ,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def end(processes):
    """End child processes: their runs have been written up to the last whole epoch."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def complaint(log):
    """The error of a child that failed, in one line: the last that its log has."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line for line in lines if line.strip()] or ["it said nothing"]
    errors = [line for line in lines if line.startswith("error: ")]
    return one_line((errors or lines)[-1].removeprefix("error: "))


def epochs_done(folder):
    """How many whole epochs a run folder has, or those in it, together."""
    return sum(
        max(0, len(path.read_bytes().splitlines()) - 1)  # without the heading
        for path in folder.rglob("history.csv")
    )


def pack(job, out):
    """Pack a finished run: the archive's size in bytes.

    Raises:
        PatchConvNetError: it is too large; the archive cannot be written.
    """
    with written_aside(job.archive(out)) as aside:
        with tarfile.open(aside, "w:gz") as archive:
            archive.add(out / str(job), arcname=str(job))
        size = aside.stat().st_size
        if size > LARGEST:
            raise PatchConvNetError(
                f"packed it has {size / 2**20:.1f} MB, and {LARGEST // 2**20} are the"
                f" most: it is left in {out / str(job)}"
            )
    return size


# === all of them ===


def work(
    waiting, out, minutes, together, start=start, clock=time.monotonic, pause=time.sleep
):
    """Train jobs until all have ended or time is up.

    Args:
        waiting: list of `Job`, in the order in which they are begun.
        out: the folder that holds all runs, a `Path`.
        minutes: how long.
        together: how many at once.
        start, clock, pause: what starts a job, tells seconds, and waits for some.

    Returns:
        The jobs that are left for the next call, and those that failed: two lists.
    """
    began, spoke = clock(), clock()
    waiting, running, failed = list(waiting), {}, []
    try:
        while (waiting or running) and clock() - began < 60 * minutes:
            enough = 60 * minutes - (clock() - began) >= STARTING
            while waiting and enough and len(running) < together:
                job = waiting.pop(0)
                running[job] = start(job, out, together), clock()
                print(f"{job}: started", flush=True)
            if not running:
                break
            for job, (process, since) in list(running.items()):
                if process.poll() is not None:
                    del running[job]
                    seconds = clock() - since
                    if not _ended(job, out, process.returncode, seconds):
                        failed.append(job)
            if clock() - spoke >= OFTEN:
                spoke = clock()
                for job, (_, since) in running.items():
                    epoch = epochs_done(out / str(job))
                    print(f"{job}: epoch {epoch}, {spoke - since:.0f} s", flush=True)
            pause(1)
    finally:
        end([process for process, _ in running.values()])
    for job in running:
        print(f"{job}: stopped, after epoch {epochs_done(out / str(job))}", flush=True)
    for job in waiting:
        print(f"{job}: left out, too little time is left to begin it", flush=True)
    return [*running, *waiting], failed


def _ended(job, out, code, seconds):
    """Tell of a job that has ended, and pack it: whether all went well."""
    try:
        if code:
            raise PatchConvNetError(complaint(job.log(out)))
        size = pack(job, out)
    except (PatchConvNetError, OSError) as error:
        print(f"{job}: failed: {one_line(error)}", file=sys.stderr, flush=True)
        return False
    epoch, size = epochs_done(out / str(job)), f"{size / 2**20:.1f} MB"
    print(f"{job}: finished, epoch {epoch}, {seconds:.0f} s, {size}", flush=True)
    return True


def check_plan(out, plan):
    """Raise a `PatchConvNetError` if the runs in a folder were begun by another plan.

    Else keep it there: what is packed is not looked at again.
    """
    path = out / "plan.json"
    text = json.dumps(plan)
    if not path.exists():
        with written_aside(path) as aside:
            aside.write_text(text, encoding="utf-8")
    known = path.read_text(encoding="utf-8", errors="replace")
    if known != text:
        raise PatchConvNetError(
            f"{out} was begun with other options, {known[:300]}: give these again, or"
            " another --out"
        )


@in_one_line
def main(arguments=None):
    parser = Parser(__doc__)
    parser.add_argument("--out", required=True, help="folder of all that comes of it")
    parser.add_argument("--minutes", type=float, required=True, help="at least 1")
    parser.add_argument("--together", type=int, default=3, help="runs at once; 3")
    parser.add_argument("--epochs", type=int, help="of every run, if not its own")
    parser.add_argument("--limit", type=int, help="train on the first N images only")
    for name, what in (("set", "of our networks"), ("set-yardstick", "of the other")):
        parser.add_argument(
            f"--{name}", action="append", default=[], metavar="NAME=VALUE", help=what
        )
    plan = vars(parser.parse_args(arguments))
    minutes, together = plan.pop("minutes"), plan.pop("together")
    MINUTES.check("minutes", minutes)
    TOGETHER.check("together", together)
    EPOCHS.check("epochs", plan["epochs"])
    LIMIT.check("limit", plan["limit"])
    out = place(plan.pop("out"))
    with held(out):
        check_plan(out, plan)
        wanted = [job for job in jobs(plan) if not job.archive(out).is_file()]
        left, failed = work(wanted, out, minutes, together)
    if failed:
        print(f"{len(failed)} failed: {one_line(out / 'logs')} has all that they said")
    if left:
        print(f"time is up, {len(left)} left: the same command goes on")
    if not (failed or left):
        print(f"all have finished: {one_line(out / 'packed')}")
    return 1 if failed else TIME_IS_UP if left else 0


if __name__ == "__main__":
    sys.exit(main())

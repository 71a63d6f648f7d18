"""What somebody opens first in the zip of `tools/bundle.py`: how to read and to run."""

from dataclasses import dataclass

from classroom.text import plain

PYTHONS = "Python 3.11, 3.12 or 3.13"
DOCTOR = "python -m patchconvnet doctor"
ON_WINDOWS = r".venv\Scripts\activate"
START = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Start here</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ max-width: 42em; margin: 2em auto; padding: 0 1em;
         font: 1.1em/1.5 system-ui, sans-serif; }}
  pre {{ overflow-x: auto; padding: .8em; border: 1px solid; }}
</style>
<h1>Start here</h1>
<h2>Read</h2>
<p><a href="book/intro.html">Open the book</a>. It needs no network, and nothing is
installed.</p>
<h2>Run</h2>
<p>You need {needs}, and 3 GB of disk. In a terminal, in this folder:</p>
<pre>{commands}</pre>
<p>On Windows, the second line is <code>{on_windows}</code>. {network}</p>
<p>Next time, the second and the last line do. Is all well?
<code>{doctor}</code> looks at everything, and says what to mend.</p>
</html>
"""
README = """# {title}

{institution}. Questions: {contact}

1. **Unzip.** Unpack the whole zip into a folder of your own. Inside a zip nothing can \
be saved.
2. **Read.** Open `START-HERE.html`: it leads to the book. For that, nothing is \
installed.
3. **Make an environment, and install**, once. You need {needs}, and 3 GB of disk. In \
a terminal, in this folder (on Windows, the second line is `{on_windows}`):

   ```bash
{install}
   ```

   {network} Is all well? This looks at everything, and says what to mend:

   ```bash
   {doctor} --class --plan plan.toml
   ```

4. **Open** the notebooks. Next time, activate the environment (the second line \
above), and then this:

   ```bash
   {start}
   ```

5. **Hand in.** Choose Kernel, Restart Kernel and Run All Cells. Look at your \
answers, save, and hand in the `.ipynb` files of `student/chapters`.

Something fails? [Set up, and what can go wrong](book/set_up.html) has twenty error \
messages, each with its mend.
"""


@dataclass(frozen=True)
class Guide:
    """What it takes to run the notebooks of a zip.

    Attributes:
        notebooks: their folder, in the zip's.
        laptops: what the zip has wheels for, a list of `Laptop`; empty without wheels.
    """

    notebooks: str
    laptops: list

    def commands(self):
        """The lines for a terminal: environment, activated, installed, opened."""
        pip = "pip install -r requirements.txt"
        if self.laptops:
            pip = (
                "pip install --no-index --find-links wheels -r wheels/requirements.txt"
            )
        start = f"jupyter lab {self.notebooks}"
        return ["python -m venv .venv", "source .venv/bin/activate", pip, start]

    def machine(self):
        """What a laptop must have, and what is said of a network: two texts."""
        if not self.laptops:
            return PYTHONS, "The third line needs a network, for about 500 MB."
        pythons = sorted({laptop.python for laptop in self.laptops})
        names = sorted({laptop.name() for laptop in self.laptops})
        needs = f"Python {' or '.join(pythons)}, on {' or '.join(names)}"
        return needs, "The third line needs no network: it takes what is in wheels."


def start_page(guide):
    """START-HERE.html, a string."""
    needs, network = guide.machine()
    return START.format(
        needs=needs,
        network=network,
        commands="\n".join(guide.commands()),
        on_windows=ON_WINDOWS,
        doctor=DOCTOR,
    )


def readme(guide, plan):
    """README.md for the students of a class, a string."""
    needs, network = guide.machine()
    *install, start = guide.commands()
    return README.format(
        title=plain(plan.title),
        institution=plain(plan.institution),
        contact=plain(plan.contact),
        needs=needs,
        network=network,
        install="\n".join(f"   {line}" for line in install),
        start=start,
        on_windows=ON_WINDOWS,
        doctor=DOCTOR,
    )

"""Two checks of the doctor: what opens a notebook, and what runs its cells.

What goes wrong in them they raise: `doctor.look` makes it a finding.
"""

import os
import sys
from importlib.metadata import version

from patchconvnet.course.doctor_report import MEND, OK, Check

KERNEL = "python3"  # what every chapter asks for
PATIENCE = 60.0  # seconds until a kernel must answer
# where Jupyter looks first
PLACE = "--user" if sys.prefix == sys.base_prefix else "--sys-prefix"
ADVICE = {
    "JupyterLab": "pip install jupyterlab",
    "kernel": f"pip install ipykernel, then python -m ipykernel install {PLACE}",
}


def lab():
    """Whether JupyterLab can be started from this Python."""
    import jupyterlab.labapp  # noqa: F401 - with all that it needs

    return Check("JupyterLab", OK, f"{version('jupyterlab')}, started by: jupyter lab")


def kernel():
    """Start the kernel that JupyterLab would start, and ask which Python it is."""
    from jupyter_client.manager import start_new_kernel

    answers = []
    manager, client = start_new_kernel(PATIENCE, KERNEL)
    try:
        client.execute_interactive(
            "import sys; print(sys.prefix)",
            timeout=PATIENCE,
            output_hook=lambda said: answers.append(said["content"].get("text", "")),
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if os.path.realpath("".join(answers).strip()) != os.path.realpath(sys.prefix):
        found = "it starts another Python than this one"
        return Check("kernel", MEND, found, ADVICE["kernel"])
    return Check("kernel", OK, "starts, with this Python")

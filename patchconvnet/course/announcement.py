"""What the first cell of every chapter says."""

import logging
import os
import sys
from pathlib import Path

import keras

from patchconvnet.data import VARIABLE, download_size
from patchconvnet.training.machine import device, versions

# After this line, relative paths such as runs/shapes lie on the reader's Google Drive.
_KEEP_ON_DRIVE = (
    'import os; from google.colab import drive; drive.mount("/content/drive");'
    ' os.chdir("/content/drive/MyDrive")'
)


def announce(dataset, minutes):
    """Print what a chapter will run on, what it downloads, and how long it takes.

    It also silences TensorFlow's warnings. In Colab, which forgets all files when it
    disconnects, also print what to do then, and the line that keeps them.

    Args:
        dataset: name of the chapter's data set; None where it takes the pictures that
            `PATCHCONVNET_DATASET` names, and draws its own if there are none.
        minutes: expected minutes for the whole chapter on two CPU cores.
    """
    # else it warns that a chapter's networks, one after the other, are slow
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    backend = keras.backend.backend()
    found = versions()
    own = os.environ.get(VARIABLE)
    unused = own and dataset
    # of a path its last part: outputs are handed on
    dataset = dataset or (Path(own).name if own else "drawn by this chapter")
    megabytes = download_size(dataset) / 1e6
    cost = f"a download of {megabytes:.0f} MB" if megabytes else "nothing to download"
    unit = "minute" if minutes == 1 else "minutes"
    print(f"backend   {backend} {found.get(backend, '')}, Keras {found['keras']}")
    print(f"device    {device()}")
    print(f"data set  {dataset}, {cost}")
    if unused and dataset == "pets":  # chapter 16 has a section for the reader's own
        name = Path(own).name
        print(f"          (and {name}, in the section on your own photographs)")
    elif unused:
        print(
            f"          (this chapter is about {dataset}: it does not use {VARIABLE})"
        )
    print(f"time      about {minutes} {unit} on two CPU cores")
    if "google.colab" in sys.modules:
        print("Colab     Disconnected? Connect again, then choose Runtime, Run all.")
        print(
            "Drive     To keep the files that you make here, run this line now, and"
            " again after each new start:"
        )
        print(f"          {_KEEP_ON_DRIVE}")

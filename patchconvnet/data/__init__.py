"""Pictures with labels and, where they are known, masks.

dataset.py         load_dataset, Dataset: the one call
shapes.py          drawn by code (chapter 02)
cifar10.py         found on this machine or fetched (chapter 09)
cifar10_files.py   reads it
pets.py            photographs with masks, shipped in photographs/
own_pictures.py    a folder or a file of yours (chapter 15)
own_folder.py      reads the one,
own_arrays.py      or the other,
own_pets.py        or the whole Pet data set;
own_common.py      and what they have in common
masks.py           masks of own pictures
crops.py           squares in which the object lies aside
reading.py         one picture file or address
png_notes.py       passes over the notes in it
download.py        a large file, in pieces that can be gone on with
web.py             asks for either
"""

from patchconvnet.data.dataset import (
    OWN,
    VARIABLE,
    Dataset,
    download_size,
    load_dataset,
    number_of_classes,
    whole_name,
)

__all__ = [
    "Dataset",
    "OWN",
    "VARIABLE",
    "download_size",
    "load_dataset",
    "number_of_classes",
    "whole_name",
]

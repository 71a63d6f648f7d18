"""Every figure of the course, and its tables.

Each function shows one figure and returns nothing, or writes it with `save_to=`. Knows
arrays and dicts, nothing of models. One look throughout: `viridis` for attention (it
reads in grey and for colour-blind eyes), Okabe and Ito's colours for lines, a white
face. Importing it in a notebook makes all figures there sharp on fine screens (see
notebook.py).
"""

from patchconvnet.plotting import notebook
from patchconvnet.plotting.curves import confusion, curve, evolution, history
from patchconvnet.plotting.diagram import (
    block_diagram,
    network_diagram,
    squeeze_excite_diagram,
)
from patchconvnet.plotting.marks import frame, outline
from patchconvnet.plotting.pictures import attention, film, images, prediction
from patchconvnet.plotting.pooling_diagram import pooling_diagram
from patchconvnet.plotting.sheet import contact_sheet
from patchconvnet.plotting.style import BLUE, GREEN, GREY, LINES, ORANGE, STYLE
from patchconvnet.plotting.tables import table

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "LINES",
    "ORANGE",
    "STYLE",
    "attention",
    "block_diagram",
    "confusion",
    "contact_sheet",
    "curve",
    "evolution",
    "film",
    "frame",
    "history",
    "images",
    "network_diagram",
    "outline",
    "pooling_diagram",
    "prediction",
    "squeeze_excite_diagram",
    "table",
]

notebook.draw_sharply()

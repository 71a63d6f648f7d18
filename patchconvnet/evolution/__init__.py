"""Attention over a training: the maps of the same pictures, from its start to its end.

    seen = evolution.read("shapes")         # from a record
    seen = evolution.live(recorder)         # after your own `fit`
    evolution.film(seen.pick([0, 3, 5]))    # one row a picture, one column an epoch
    evolution.curves(seen)                  # accuracy, attention on the object, entropy
    evolution.player(seen.pick([0, 3, 5]))  # a slider and a play button, in a notebook
                                            # or a page of its own

The player is plain HTML, written by hand: frame.html, player.html, player.css and
player.js in this folder. It needs no kernel, no library and no other host.
"""

from patchconvnet.evolution.figures import curves, film
from patchconvnet.evolution.player import Player, player
from patchconvnet.evolution.recorded import Evolution, live, read

__all__ = ["Evolution", "Player", "curves", "film", "live", "player", "read"]

"""Numbers beside their bands: measured live, and the same on all machines."""

from patchconvnet.errors import PatchConvNetError, short


def in_band(value, low, high, digits=2):
    """A measured number and the band in which other machines find it: a text.

    0.94 (0.90 to 0.98)      inside: where chapters are compared, the number before such
                             a bracket is not (`tests/nbval.cfg`)
    0.85 NOT in 0.90 to 0.98 outside: a chapter that prints this has changed

    Args:
        value: a number.
        low, high: the ends of the band; they lie in it.
        digits: after the point, 0 to 6.

    Raises:
        PatchConvNetError: no numbers, or `low` above `high`.
    """
    try:
        value, low, high = float(value), float(low), float(high)
    except (TypeError, ValueError) as error:
        raise PatchConvNetError(
            f"a band takes three numbers, got {short((value, low, high))}"
        ) from error
    if not low <= high:
        raise PatchConvNetError(
            f"a band's low end lies above its high one: {low}, {high}"
        )
    said, band = f"{value:.{digits}f}", f"{low:.{digits}f} to {high:.{digits}f}"
    # as printed: a reader sees no further digits
    return (
        f"{said} ({band})"
        if low <= round(value, digits) <= high
        else f"{said} NOT in {band}"
    )

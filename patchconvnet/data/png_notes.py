"""PNG files without the notes in them.

Pillow gives up a picture whose notes are long, or would unpack to much.
"""

import io

SIGNATURE = b"\x89PNG\r\n\x1a\n"
NOTES = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")  # texts and colour profiles
# bytes of what is beside the picture and is read at all; Pillow stops there, too
LONGEST = 1 << 20
MOST = 1_000  # gaps; all are looked through at each reading


def is_png(file):
    file.seek(0)
    return file.read(len(SIGNATURE)) == SIGNATURE


def without_notes(file, long_ones_only):
    """An open PNG file as another one, without some of what is beside the picture.

    Nothing is copied.

    Args:
        file: the open file.
        long_ones_only: whether to leave out only what is private or longer than
            `LONGEST`; else all texts and colour profiles go, too. A short one may hold
            which side is up; or so little that unpacks to so much that Pillow raises a
            ValueError.

    Raises:
        ValueError: they are in more than `MOST` places.
    """
    return io.BufferedReader(_Pieces(file, _kept(file, long_ones_only)))


def _kept(file, long_ones_only):
    """What remains of a PNG file: a list of its pieces, (first byte, end)."""
    end = file.seek(0, io.SEEK_END)
    pieces, begin, position = [], 0, len(SIGNATURE)
    while position + 8 <= end:
        file.seek(position)
        length, kind = int.from_bytes(file.read(4), "big"), file.read(4)
        # the length and the kind before it, a checksum behind
        after = min(position + length + 12, end)
        optional, private = kind[:1].islower(), kind[1:2].islower()
        left_out = optional and (private or length > LONGEST)
        if left_out or (kind in NOTES and not long_ones_only):
            if begin < position:
                pieces.append((begin, position))
            begin = after
            if len(pieces) > MOST:
                raise ValueError(f"more than {MOST:,} notes in it")
        if kind == b"IEND":
            break
        position = after
    return [*pieces, (begin, end)]


class _Pieces(io.RawIOBase):
    """Pieces of an open file, one after the other, as a file."""

    def __init__(self, file, pieces):
        self.file, self.pieces, self.position = file, pieces, 0
        self.length = sum(end - begin for begin, end in pieces)

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        ends = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.length}
        self.position = max(0, ends[whence] + offset)
        return self.position

    def readinto(self, buffer):
        skipped = 0
        for begin, end in self.pieces:
            if self.position < skipped + end - begin:
                first = begin + self.position - skipped
                self.file.seek(first)
                content = self.file.read(min(len(buffer), end - first))
                buffer[: len(content)] = content
                self.position += len(content)
                return len(content)
            skipped += end - begin
        return 0

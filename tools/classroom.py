"""Make an instructor's kit from the chapters: see classroom/kit.py, or --help."""

import sys

from classroom.kit import main  # of the folder beside this file

if __name__ == "__main__":
    sys.exit(main())

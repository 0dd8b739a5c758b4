"""Runs the command: `python -m dynaplan`."""

import sys

from dynaplan.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""Runs the command: `python -m dynaplan`."""

import sys

from dynaplan.commands.cli import main

if __name__ == "__main__":
    sys.exit(main())

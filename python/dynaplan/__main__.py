"""Runs the command: `python -m dynaplan`."""

import sys

from dynaplan.commands.main import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m bench.efficiency`."""

from bench.efficiency.command import main
from bench.efficiency.methods import METHODS
from bench.efficiency.tasks import TASKS

if __name__ == "__main__":  # not in the processes of the cells
    raise SystemExit(main(None, TASKS, METHODS))

"""One file a workload: what is timed, by whom, what is checked, what was promised."""

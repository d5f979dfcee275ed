"""Events a second as the work grows: `python -m bench.scaling`."""

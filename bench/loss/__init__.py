"""What is lost, by Headrace and its peers: `python -m bench.loss`."""

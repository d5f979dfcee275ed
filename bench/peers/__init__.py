"""What runs in the peers' own environments; `tally` is what Headrace's handlers use too."""

"""The mutations' patches, by what they spoil."""

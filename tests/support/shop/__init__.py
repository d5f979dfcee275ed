"""A user's own package: a catalogue module, a folder of .avsc files, and handlers that do as each order says."""

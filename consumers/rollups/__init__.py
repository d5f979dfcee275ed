"""What the exact agents keep: summaries that depend on the set of events alone, never on their order or grouping."""

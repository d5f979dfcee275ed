"""Replays: a range of a topic worked on again, aside from the live groups, by moving one, or by copying it."""

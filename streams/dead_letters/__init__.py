"""Dead letters in an operator's hands: read, searched, sent again, put aside.

The letters lie in each agent's dead-letter topic and never change. What was done with them stands in a compacted topic of its
own (`states.py`), so that a run that ended halfway is simply run again.
"""

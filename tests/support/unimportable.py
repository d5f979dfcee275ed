"""A handler's module that cannot be imported."""

raise RuntimeError("the price list is missing")

"""The delivery machinery: from a polled record to a committed offset. It knows no handler."""

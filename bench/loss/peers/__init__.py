"""What runs in the peers' own environments; `shared` is what Headrace's handler does too."""

"""What the images agent is made of: limits, decoding, geometry, rendering, fingerprints. Stands on libvips."""

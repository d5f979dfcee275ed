"""What the text agent finds: one module a finding, each a pure function of the text, none of them knowing events or Kafka."""

"""`make demo`: real input through the real agents on a real Kafka, and one page that shows what came of it."""

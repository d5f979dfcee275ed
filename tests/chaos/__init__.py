"""Real Kafka, real workers, faults on purpose, and a checker that says whether a promise of delivery was broken."""

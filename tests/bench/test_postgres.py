from bench import postgres


def test_a_transaction_of_the_analytics_agent_writes_ten_rows_whatever_its_size(empty_postgres_url: str) -> None:
    frame = postgres.events()
    costs = [postgres.measure(empty_postgres_url, frame, records=size, transactions=3) for size in (1_000, 5_000)]
    assert [cost.rows for cost in costs] == [10, 10]
    assert [cost.records for cost in costs] == [1_000, 5_000]
    assert all(cost.round_trips >= 7 and cost.wal_bytes > 0 and cost.seconds > 0 for cost in costs)

"""The ledger, as it is read while others write."""

from bench.loss.race import Ledger


def test_a_ledger_that_grows_is_read_by_whole_lines(tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    assert not ledger.read()
    ledger.path.write_text("a 0\nb 1\nc")
    assert ledger.read()
    assert (ledger.lines, ledger.last_worker) == (["a 0", "b 1"], 1)
    assert not ledger.read()
    with ledger.path.open("a") as file:
        file.write(" 0\n")
    assert ledger.read()
    assert ledger.handled == {"a", "b", "c"}

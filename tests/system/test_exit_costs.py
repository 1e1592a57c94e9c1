"""What `./trivisor bench --check` checks: Bochs with one core repeats to the tick."""
from tools import bench


def test_nothing_is_over_its_limit_or_worse_than_committed():
    """Each row under its Must, and within 5 % of the committed result."""
    reference, committed = bench.read_csv(bench.REFERENCE), bench.read_csv(bench.COMMITTED)
    measured, _, _ = bench.measure(reference)
    assert not bench.complaints(reference, measured, committed)

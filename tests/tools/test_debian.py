"""What tests read of the Debian guest's terminal."""
from tests.lib.debian import errors, whole_lines


def test_lines_that_others_broke_into_count_once():
    said = ["one| mark", "two| beat 0", "one| mark", "one| 42", "one| be", "two| beat 1", "one| begin", "one| e",
            "vm two: ended: x", "one| end"]
    assert whole_lines(said, "one| ") == ["mark", "42", "begin", "end"]


def test_lines_that_look_alike_are_kept():
    assert whole_lines(["one| a", "one| ab", "two| x", "one| b"], "one| ") == ["a", "ab", "b"]
    assert whole_lines([], "one| ") == []


def test_errors_are_told_from_the_rest():
    assert errors(["error: bad", "noise", "errors: end"]) == {"bad"}

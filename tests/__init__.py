"""The tests; helpers are imported as `tests.…`, test modules by their path."""

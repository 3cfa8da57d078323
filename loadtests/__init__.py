"""What measures Laurel: the benchmark and the load tests."""

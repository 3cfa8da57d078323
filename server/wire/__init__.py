"""The shapes of requests and answers: the one place that knows the wire's names."""

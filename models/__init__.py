"""What is durable: ids, entries, folds and the statements."""

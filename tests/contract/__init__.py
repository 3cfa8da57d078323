"""What frontends rely on, written from the contract alone."""

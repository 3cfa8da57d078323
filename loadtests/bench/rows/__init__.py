"""The rows of the table, one module for those measured together."""

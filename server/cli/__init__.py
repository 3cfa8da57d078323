"""The `laurel` command, one module a subcommand."""

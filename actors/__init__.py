"""What moves: user actors, the committer, boards and their audiences."""

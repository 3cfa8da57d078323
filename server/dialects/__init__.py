"""The five scoreboard APIs that existing frontends speak, in front of one core."""

"""The append-only record of what was known when it was decided: RFC 6962 tree, C2SP checkpoints and tiles."""

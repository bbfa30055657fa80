"""How policy files are fetched, and where may be dialled."""

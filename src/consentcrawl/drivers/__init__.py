"""One file per HTTP library; each is importable only where its library is."""

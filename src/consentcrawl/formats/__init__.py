"""Readers of strangers' bytes: pure, bounded, and never raising; each says when it gave up."""

"""Readers of untrusted bytes: pure, bounded, never raising; each gives a reason code where it gave up."""

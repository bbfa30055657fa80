"""Worker processes with limits, for native code that reads strangers' bytes."""

"""The live page: what the proxy is doing, counted and shown."""

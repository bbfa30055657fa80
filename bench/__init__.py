"""Every figure that the documents quote, and the peers beside it in the same run."""

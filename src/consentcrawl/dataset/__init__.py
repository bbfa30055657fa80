"""Lists of URLs in, lists of verdicts out: readers, writers, and rows worked on at once but given back in order."""

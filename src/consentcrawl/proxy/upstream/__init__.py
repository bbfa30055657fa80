"""The origins' side: the pool of connections, requests, fields, and the beginning of an answer."""

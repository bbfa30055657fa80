"""The proxy: any program that fetches over HTTP, unchanged, asks before it takes."""

"""One file per platform: where the maker's choice is kept, and how to get there from a bare URL."""

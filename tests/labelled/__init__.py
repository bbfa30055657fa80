"""Works that people labelled: what lies where, what a person would say of it, and what must come out."""

"""The folder that a wrapped Python finds first; it holds one module, and is no package to it."""

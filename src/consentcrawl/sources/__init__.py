"""How a need is met: documents of the web, opt-out lists, registries, and the manifests in a content."""

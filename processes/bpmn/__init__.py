"""One folder a procedure: model, forms, letters, mappings, scenarios."""

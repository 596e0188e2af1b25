"""Read, check and version models and message types; the only parser of BPMN."""

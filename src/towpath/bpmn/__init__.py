"""BPMN models: read, checked, compiled to an immutable executable graph."""

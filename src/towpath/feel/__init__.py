"""FEEL, the expression language of DMN and BPMN; usable alone."""

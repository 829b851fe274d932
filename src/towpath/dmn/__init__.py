"""DMN decision models: read, checked and evaluated with an audit."""

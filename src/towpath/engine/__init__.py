"""The functional core: ``step(models, state, command)``, without I/O, clock or randomness."""

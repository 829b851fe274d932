"""Where state lives: the engine's store, the services' databases, documents in object stores."""

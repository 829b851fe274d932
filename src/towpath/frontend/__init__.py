"""The front-end microservices: synchronisation and notification."""

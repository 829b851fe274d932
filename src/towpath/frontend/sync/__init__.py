"""Synchronisation: a user's documents over the CouchDB replication protocol."""

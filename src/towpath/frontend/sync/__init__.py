"""Synchronisation: a person's documents over the CouchDB replication protocol, offline and back.

``revisions`` and ``revision_ids`` are the revision tree, without I/O; ``store`` keeps documents in SQL, each
database with a sequence of its own; ``couch`` is the protocol's surface and ``changes`` its feed. What
makes it the front of a process: ``rules`` say what a client may write, ``commands`` carries its commands
out through the facade, and ``states`` brings claims, notifications and data of the back ends to the
person's database.
"""

from towpath.frontend.sync.app import create_app
from towpath.frontend.sync.settings import Source, SyncSettings

__all__ = ["Source", "SyncSettings", "create_app"]

"""Where state lives: the engine's store, the services' databases, documents in object stores.

:mod:`~towpath.storage.store` is the port through which the process server keeps its state,
:mod:`~towpath.storage.sqlite` the store in one file; :mod:`~towpath.storage.search` turns a search of the API
into SQL. :mod:`~towpath.storage.database` opens and migrates the other services' databases,
:mod:`~towpath.storage.documents` holds bytes in an object store.
"""

"""The front-end microservices: synchronisation and notification.

What both need and no other box does is beside them: calls to the facade on a person's behalf
(``upstream``), which resource a process is (``catalog``), and small pieces of SQL and time.
"""

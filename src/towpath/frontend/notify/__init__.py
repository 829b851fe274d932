"""Notification: tells a customer on the channels they chose: in-app, e-mail, Web Push."""

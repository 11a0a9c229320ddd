"""Intercom: its webhooks' notifications, and conversations as its REST API shows them, in the older shape and the newer.

Closed is over, until somebody writes again. What a company begins by itself and nobody answers was no contact.
"""

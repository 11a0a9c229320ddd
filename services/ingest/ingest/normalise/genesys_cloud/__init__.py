"""Genesys Cloud: conversation detail events in every form they travel in, and analytics' record of a whole conversation.

A conversation keeps its id over transfers and callbacks; each participant has sessions, which are the legs. The customer's
sessions stand for the whole, one for each time the customer is with us: an agent's end is not the end.
"""

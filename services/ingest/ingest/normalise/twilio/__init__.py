"""Twilio TaskRouter, which Flex runs on: Event Streams, the classic event callback as JSON, and what its WebSocket says.

A task is the whole contact and keeps its id over transfers; every agent who takes it has a reservation, which is a leg.
The task says when all is over, its reservations who spoke and how long: an agent's notes come after the customer is gone.
Where there is no TaskRouter, calls by their status callbacks (`voice`) and Conversations by their state (`conversations`) are the contacts.
"""

"""Segment: tracked events that end a visit by agreement, and conversations of live chat as its specification names them."""

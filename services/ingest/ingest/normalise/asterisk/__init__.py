"""Asterisk: call detail records, the queue log, and what its two event interfaces (AMI, ARI) say, as JSON.

`linkedid` joins the channels of a call; in the queue log it is the caller's channel. Records come when the caller is gone, one
for each pair of channels, and tell a queue's call worse than the queue log does. None says in words who the customer is: a
number of seven digits or more is outside, a shorter one an extension of ours.
"""

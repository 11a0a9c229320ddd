"""Amazon Connect: contact events, contact records, and the end of a chat as message streaming tells it.

Every agent connection is a contact of its own; all of a customer's share the initial contact id, which is the root.
Contact events may be lost and name no address of the customer; the contact record comes at least once, minutes later, whole.
"""

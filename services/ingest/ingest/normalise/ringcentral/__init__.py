"""RingCentral: notifications of telephony sessions, as a webhook, over a WebSocket or within a push to a phone.

A session is one call; each party to it is a leg. Parties come and go while the call goes on: an IVR's is over before an
agent's begins. The party without an extension of ours is the other side's own line and stands for the whole call.
"""

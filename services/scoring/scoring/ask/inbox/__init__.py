"""The development inbox: a gateway that sends nowhere, and the page that shows what it was given."""

"""Snowplow: enriched events that end a visit by agreement, as analytics SDKs write them or as Micro and the loaders hold them."""

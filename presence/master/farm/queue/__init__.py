"""The router of the messages between masters: watched, and connected to again."""

"""Who listens on Buildbot's message queue, and how an event finds them."""

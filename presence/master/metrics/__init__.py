"""Numbers about a master for Prometheus."""

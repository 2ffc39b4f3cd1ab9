"""What tells that the owner needs the machine: sensors, and what watches them."""

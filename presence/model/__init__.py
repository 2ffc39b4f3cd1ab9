"""What a presence is, and who waits for one."""

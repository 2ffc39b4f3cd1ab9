"""What becomes of the build that runs when the machine's owner comes."""

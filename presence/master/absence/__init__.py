"""Workers that have not been seen for long: out of the reckoning until they are back."""

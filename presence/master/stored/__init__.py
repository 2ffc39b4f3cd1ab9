"""What this package stores in the database of a master, and how that is done beside other masters."""

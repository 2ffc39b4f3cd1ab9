"""The trail: what has happened on a master, a line of JSON each, in files of its directory."""

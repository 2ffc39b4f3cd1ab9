"""Several masters of one farm, which share a database and a message queue. Nothing here is imported without `c["multiMaster"]`."""

"""Who orders without a login: the operator of the machine, and tokens."""

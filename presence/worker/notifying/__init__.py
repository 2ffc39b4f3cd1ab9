"""A notice on the owner's desktop when a build starts while the machine is used."""

"""`presence doctor`, which says whether an installation is well."""

"""What states, sources and holds are called: one set of words for the command line, the API and both pages."""

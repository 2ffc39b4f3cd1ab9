"""The whole farm as one master sees it: what each master tells of the workers that are connected to it."""

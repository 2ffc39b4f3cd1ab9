project = "presence"
copyright = "2026, the presence developers"
author = "The presence developers"

extensions = ["sphinx.ext.autodoc", "myst_parser"]
autodoc_member_order = "bysource"
default_role = "code"

html_theme = "furo"
html_title = "presence"
exclude_patterns = ["_build"]

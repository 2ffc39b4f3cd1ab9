project = "presence"
copyright = "2026, the presence developers"
author = "The presence developers"

extensions = ["sphinx.ext.autodoc", "repoze.sphinx.autointerface", "myst_parser"]
autodoc_member_order = "bysource"
# what a method promises is said once, in the interface
autodoc_inherit_docstrings = True
default_role = "code"

html_theme = "furo"
html_title = "presence"
exclude_patterns = ["_build"]

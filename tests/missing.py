"""A package that is not installed, for a while."""

import sys
from contextlib import contextmanager


@contextmanager
def missing(name):
    """Nobody can import the module `name`. Afterwards all is as before: where nobody has imported it, it can be."""
    known = {name: sys.modules[name]} if name in sys.modules else {}
    sys.modules[name] = None
    try:
        yield
    finally:
        sys.modules.pop(name, None)
        sys.modules.update(known)

"""Searches: laws that hold in any case, looked for in many, most of which are drawn at random; often against an oracle, or
what others publish.

All of them stand here, so that nothing else needs hypothesis: a law by an example stands in the room that it is about.

Every day they look at a few cases, which takes seconds. With PRESENCE_THOROUGH=1 in the environment (`make search`) they look
at many times as many. Both are always the same ones: a change is not refused for what it has not done. With
PRESENCE_THOROUGH=random (`make search RANDOMLY=1`) they look at other ones each time.
"""

import os

THOROUGH = os.environ.get("PRESENCE_THOROUGH", "")

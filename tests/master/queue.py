"""The queue of build requests, as it is in the database of a `MasterTestCase`."""

import sqlalchemy as sa

UNCLAIMED_OR_COMPLETE = sa.text(
    "SELECT id, builderid, complete FROM buildrequests"
    " WHERE complete OR id NOT IN (SELECT brid FROM buildrequest_claims)"
)


def queue(case):
    """Those that wait, as pairs of their id and their builder's; and how many are complete."""
    rows = case.query(UNCLAIMED_OR_COMPLETE)
    waiting = [(brid, builderid) for brid, builderid, complete in rows if not complete]
    return waiting, sum(complete for _, _, complete in rows)

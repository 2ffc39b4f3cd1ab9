"""Under which names we store something in Buildbot's table of states: (name, class) of each object there.

They are not made of names in this source, which may change; and a dot keeps them from those of anybody's class.
"""

#: The name of all of them.
NAME = "presence"

#: What admins have ordered of workers, and of builders: a row for each, by its name, or its id.
WORKERS = (NAME, "presence.AdminHolds")
BUILDERS = (NAME, "presence.BuilderHolds")

#: What concerns all masters of a farm, and what each of them tells of its workers.
FARM = (NAME, "presence.Farm")
SNAPSHOTS = (NAME, "presence.Snapshots")

#: Of which notices it is known that they were sent, and when workers were seen last.
NOTICES = (NAME, "presence.Notices")
ABSENCE = (NAME, "presence.Absence")

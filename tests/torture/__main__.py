"""`python -m tests.torture`: see `tests.torture`."""

import argparse
import random
import sys
from contextlib import ExitStack

from tests.databases.servers import MariaDB, PostgreSQL
from tests.torture.farm import FAKETIME, MUTANTS, TorturedFarm
from tests.torture.torment import Torment

# So many contradictions are printed.
_SHOWN = 400

DATABASES = {"sqlite": None, "postgresql": PostgreSQL, "mariadb": MariaDB}


def main():
    """The exit status: 0 when all was well, or when a mutant was caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description="Torture a farm.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default: a minute)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="to begin alike")
    parser.add_argument(
        "--mutant", choices=sorted(MUTANTS), help="take this out of the product, to see it caught"
    )
    parser.add_argument(
        "--database", choices=DATABASES, default="sqlite", help="a server is crashed and started again, too"
    )
    options = parser.parse_args()
    database = DATABASES[options.database]
    if database and not database.program:
        parser.error(f"{options.database} is not installed here")
    print(f"seed {options.seed}{'' if FAKETIME else '; no faketime here: no clock is set'}", flush=True)
    with ExitStack() as stack:
        farm = TorturedFarm(stack, database=database, mutant=options.mutant)
        torment = Torment(farm, options.seconds, options.seed, untilCaught=options.mutant is not None)
        wrong = torment.run()
        print(torment.summary())
        for each in wrong[:_SHOWN]:
            print(each)
        if len(wrong) > _SHOWN:
            print(f"and {len(wrong) - _SHOWN} more")
        if options.mutant:
            print(f"{options.mutant}: {'caught' if wrong else 'NOT CAUGHT'}")
            return 0 if wrong else 1
        if wrong:
            print(f"logs and journal: {farm.keep()}")
        print(f"{len(wrong)} contradictions" if wrong else "no build where none may start, no request lost")
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

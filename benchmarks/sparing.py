"""What breaks with `finishBefore` cost and bring: months of random farms, with the forecast of presence, with a perfect one, and
without any. It takes some seconds: `python -m benchmarks.sparing`.
"""

import random

from tests.master.breaks.sparingsimulation import blind, likely, night, perfect

FARMS, MONTH = 20, 30


def main():
    print(f"{'farm':>4}  {'idle':>6}  {'without':>7}  {'builds':>6}  {'perfect':>7}  {'hours lost':>10}")
    idle = breaks = hours = best_hours = 0
    for seed in range(1, FARMS + 1):
        found = night(random.Random(seed), MONTH, likely)
        best = perfect(random.Random(seed), MONTH)
        without = night(random.Random(seed), MONTH, blind)
        print(
            f"{seed:>4}  {found.idleShare:>6.1%}  {without.idleShare:>7.1%}  {found.builds:>6}  {best.builds:>7}  "
            f"{1 - found.hours / best.hours:>10.1%}"
        )
        idle, breaks = idle + found.idle, breaks + found.breaks
        hours, best_hours = hours + found.hours, best_hours + best.hours
    print(f" all  {idle / breaks:>6.1%}  {'':>7}  {'':>6}  {'':>7}  {1 - hours / best_hours:>10.1%}")


if __name__ == "__main__":
    main()

"""A farm of real processes that is tortured at random, and an account of it that knows nothing of the product.

python -m tests.torture --seconds 60            # or as long as one wants; --seed N to begin alike
python -m tests.torture --database postgresql   # or mariadb: a real server, which is crashed and started again, too
python -m tests.torture --mutant last-gate      # must be caught: ends with status 0 when it is
"""

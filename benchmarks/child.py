"""One run, in a process of its own: `python -m benchmarks.child SUBJECT ARGUMENTS` writes its result as JSON."""

import importlib
import json
import os
import shutil
import sys
import tempfile

from twisted.internet import reactor
from twisted.internet.defer import Deferred


def main():
    subject, arguments = sys.argv[1:]
    module = importlib.import_module(f"benchmarks.{subject}")
    folder = tempfile.mkdtemp(prefix="presence-benchmark-")
    tempfile.tempdir = folder
    failed = []

    async def run():
        try:
            result = await module.measure(reactor, **json.loads(arguments))
            print(json.dumps(result), flush=True)
        except BaseException as problem:
            failed.append(problem)
            raise
        finally:
            reactor.stop()

    def end():
        # a master with half a million pairs takes its time to stop, and nobody has a use for that
        shutil.rmtree(folder, ignore_errors=True)
        if failed:
            sys.excepthook(type(failed[0]), failed[0], failed[0].__traceback__)
        sys.stderr.flush()
        os._exit(1 if failed else 0)

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(run()).addErrback(lambda _: None))
    reactor.addSystemEventTrigger("before", "shutdown", end)
    reactor.run()


if __name__ == "__main__":
    main()

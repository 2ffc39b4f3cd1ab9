"""A port that is forwarded to the first of several ports that takes a connection: what a load balancer does for workers."""

import asyncio
import contextlib
import threading

from tests.integration.ports import freePort


class Forwarding:
    """Forwards `port` in a thread of its own, until the test ends."""

    def __init__(self, case, ports):
        self.port = freePort()
        self._ports = ports
        self._loop = asyncio.new_event_loop()
        self._began = threading.Event()
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        self._began.wait()
        case.addCleanup(thread.join)
        case.addCleanup(self._loop.call_soon_threadsafe, self._loop.stop)

    def _run(self):
        loop = self._loop
        server = loop.run_until_complete(asyncio.start_server(self._forward, "127.0.0.1", self.port))
        self._began.set()
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        loop.close()

    async def _forward(self, reader, writer):
        with contextlib.closing(writer):
            for port in self._ports:
                with contextlib.suppress(OSError):
                    there = await asyncio.open_connection("127.0.0.1", port)
                    break
            else:
                return
            with contextlib.closing(there[1]):
                ways = [self._copy(reader, there[1]), self._copy(there[0], writer)]
                tasks = [asyncio.ensure_future(each) for each in ways]
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()

    @staticmethod
    async def _copy(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()

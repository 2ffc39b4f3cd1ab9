"""The listeners of a message queue, sorted, so that an event finds those whom it is for.

Buildbot compares each event with what each listener wants to hear (`SimpleMQ.produce`), and each worker and each running build
is a listener: with 500 workers an event takes a tenth of a millisecond before anybody hears it, and a build that
starts makes 35 of them. Here the listeners lie by the first word of what they want to hear, and only those are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.util.tuplematch import matchTuple

from presence.master.listening.queue import ownQueue

if TYPE_CHECKING:
    from collections.abc import Iterable


class Listeners(list[Any]):
    """The listeners of a `SimpleMQ` (its `qrefs`), which it appends and removes."""

    def __init__(self, listeners: Iterable[Any]) -> None:
        super().__init__()
        # {how many words, the first of them or None for any: {listener: the how manyth it is}}
        self._by_word: dict[tuple[int, str | None], dict[Any, int]] = {}
        self._next = 0
        for each in listeners:
            self.append(each)

    def append(self, listener: Any) -> None:
        """It listens from now on."""
        super().append(listener)
        self._next += 1
        self._by_word.setdefault(_place(listener.filter), {})[listener] = self._next

    def remove(self, listener: Any) -> None:
        """It listens no more. Raises `ValueError` where it did not."""
        super().remove(listener)
        place = _place(listener.filter)
        there = self._by_word[place]
        del there[listener]
        if not there:
            del self._by_word[place]

    def of(self, key: tuple[str, ...]) -> list[Any]:
        """Those who may want to hear of the event `key`, in the order in which they began to listen."""
        named = self._by_word.get((len(key), key[0]), {})
        everything = self._by_word.get((len(key), None))
        if everything is None:
            return list(named)
        found = named | everything
        return sorted(found, key=found.__getitem__)

    @property
    def firstWords(self) -> set[str | None]:
        """The first words that anybody wants to hear; None where that is any."""
        return {word for _, word in self._by_word}


def _place(wanted: tuple[str | None, ...]) -> tuple[int, str | None]:
    return len(wanted), wanted[0]


def mayBeHeard(mq: Any, plural: str) -> bool:
    """Whether anybody may be listening to events about `plural` on the message queue `mq`."""
    queue = ownQueue(mq)
    if queue is None:
        return True
    listeners = queue.qrefs
    sorted_ = isinstance(listeners, Listeners)
    words = listeners.firstWords if sorted_ else {each.filter[0] for each in listeners}
    return plural in words or None in words


class SortedListeners:
    """Lets the listeners of a master's queue lie sorted from `start()` to `stop()`, where the queue is that master's own."""

    def __init__(self, mq: Any) -> None:
        self._mq = mq
        self._queue = ownQueue(mq)

    def start(self) -> None:
        """From now on an event is compared with those who may want to hear it."""
        queue = self._queue
        if queue is None:
            return
        compared = queue.produce
        queue.qrefs = listeners = Listeners(queue.qrefs)

        def produce(key: tuple[str, ...], data: Any) -> None:
            if queue.debug:
                # each event is to be seen in the log
                compared(key, data)
                return
            for each in listeners.of(key):
                if matchTuple(key, each.filter):
                    queue.invokeQref(each, key, data)

        # the connector has a copy
        queue.produce = self._mq.produce = produce

    def stop(self) -> None:
        """As Buildbot does it."""
        queue = self._queue
        if queue is not None and isinstance(queue.qrefs, Listeners):
            queue.qrefs = list(queue.qrefs)
            del queue.produce
            self._mq.produce = queue.produce

"""One turn of a reactor, on a fake clock: what is asked for in it at once belongs to the next, as with a real one."""


def oneTurn(clock):
    """Call what is due now on a `twisted.internet.task.Clock`, whose `advance(0)` also calls what that asks for, and so on."""
    for call in [each for each in clock.getDelayedCalls() if each.getTime() <= clock.seconds()]:
        if call.active():
            call.reset(0)
            clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

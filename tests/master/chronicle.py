"""What has happened in a simulation, for whoever has to find out why it failed."""

from contextlib import contextmanager


class Chronicle:
    """The base of a simulation. `moment()` tells what time it is."""

    def __init__(self):
        self.history, self.problems = [], []

    def note(self, text):
        self.history.append(f"{self.moment()} {text}")

    def fail(self, message):
        """Remember it: Buildbot would catch what is raised from within it."""
        self.note(f"WRONG: {message}")
        self.problems.append(message)

    def check(self):
        if self.problems:
            raise AssertionError("; ".join(self.problems))

    @contextmanager
    def toldOf(self, seed):
        """What fails meanwhile is told with the history."""
        try:
            yield
        except BaseException as problem:
            history = "\n".join(self.history)
            raise AssertionError(
                f"seed {seed}: {problem!r}\nWhat has happened until then:\n{history}"
            ) from problem

"""Python imports this as it starts, where its folder is in PYTHONPATH: the clock is off by $CLOCK_OFF seconds."""

import datetime
import os
import time

OFF = float(os.environ["CLOCK_OFF"])
real = time.time


class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> "Shifted":
        return cls.fromtimestamp(real() + OFF, tz)


Shifted.__module__, Shifted.__name__, Shifted.__qualname__ = "datetime", "datetime", "datetime"  # as it is pickled
datetime.datetime = Shifted  # type: ignore[misc]
time.time = lambda: real() + OFF

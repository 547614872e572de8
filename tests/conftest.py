"""What holds for all tests."""

import signal

# A job in a shell's background ignores SIGINT, and so would the processes that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

"""Become another command that gets a SIGTERM when the parent of this process dies: `python -m … COMMAND`."""

import os
import sys

from runhive.tracking.life.process import die_with_parent

if __name__ == "__main__":
    die_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])

"""Runs a command, writes to a file the most memory that it had resident, in bytes, and exits as it did.

    resident.py FILE COMMAND…

The system counts a child as at least as large as the process that started it; so this one stays small.
"""

import resource
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    _, file, *command = sys.argv
    status = subprocess.run(command, check=False).returncode
    Path(file).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))
    sys.exit(status)

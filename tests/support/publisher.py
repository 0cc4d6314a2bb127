"""A publisher to be killed: brings the send of tests/support/sends.py to the given people, in a process of its own.

python -m tests.support.publisher <outbox uri> 1 2 3
"""

import sys

from tasks.settings import Settings
from tasks.stores.objects import open_objects
from tests.support.sends import send_to

if __name__ == "__main__":
    uri, *numbers = sys.argv[1:]
    send_to(open_objects(uri, Settings()), [int(n) for n in numbers])

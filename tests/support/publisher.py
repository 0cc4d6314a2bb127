"""A publisher to be killed: brings the send of tests/support/sends.py to the given people, in a process of its own.

python -m tests.support.publisher <outbox uri> [<profile as JSON>] 1 2 3
"""

import json
import sys

from tasks.settings import Settings
from tasks.stores.objects import open_objects
from tests.support.campaigns import vendor
from tests.support.sends import send_to

if __name__ == "__main__":
    uri, *told = sys.argv[1:]
    profile = json.loads(told.pop(0)) if told[0].startswith("{") else {}
    more = {"vendor": vendor(**{"rows_per_part": 2, **profile})} if profile else {}
    send_to(open_objects(uri, Settings()), [int(n) for n in told], **more)

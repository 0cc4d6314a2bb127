"""Lets an outbox's sends expire, in a process of its own that may be killed.

python -m tests.support.expirer <outbox uri> <date>
"""

import sys
from datetime import date

from tasks.settings import Settings
from tasks.stores.expiry import expire
from tasks.stores.objects import open_objects

if __name__ == "__main__":
    uri, today = sys.argv[1:]
    expire(open_objects(uri, Settings()), date.fromisoformat(today))

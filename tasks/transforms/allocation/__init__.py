"""Who gets which message: all campaigns of one date in one walk, one outcome per customer and campaign.

Campaigns come by (priority, code), whatever the order of their files. Each campaign is worked out
over whole columns, because inside one campaign people compete for a shared contact and the budget alone; what a
campaign takes is in the ledger before the next one asks.
"""

from tasks.transforms.allocation.walk import send_id_of
from tasks.transforms.allocation.whole import Allocation, allocate

__all__ = ["Allocation", "allocate", "send_id_of"]

"""What the library `beem`, or its successor `nectar`, reads.

Usage: read_with_beem.py LIBRARY NODE BLOCK AUTHOR PERMLINK
"""

import json
import sys
from importlib import import_module

library, node, number, author, permlink = sys.argv[1:]


def part(module, name):
    return getattr(import_module(f"{library}.{module}"), name)


hive = import_module(library).Hive(node=[node], timeout=10)
with_hive = {"blockchain_instance": hive}
chain = part("blockchain", "Blockchain")(**with_hive)

head = hive.get_dynamic_global_properties()["head_block_number"]
hive.get_config()
hive.get_median_price()
hive.get_chain_properties()
hive.get_hardfork_properties()
hive.get_reward_funds()
block = part("block", "Block")(int(number), **with_hive)
header = part("block", "BlockHeader")(int(number), **with_hive)
transaction = chain.get_transaction(block["transaction_ids"][0])
stream = [block["block_id"] for block in chain.blocks(start=head, stop=head + 4)]
account = part("account", "Account")(author, **with_hive)
post = part("comment", "Comment")(f"@{author}/{permlink}", **with_hive)
votes = part("vote", "ActiveVotes")(f"@{author}/{permlink}", **with_hive)

print(json.dumps({
    "head": head,
    "block": block["block_id"],
    "operations": [operation["type"].removesuffix("_operation") for operation in block.operations],
    "stream": stream,
    "account": account.name,
    "mana": account.get_voting_power(),
    "followers": list(account.get_followers()),
    "history": [entry["type"] for entry in account.get_account_history(-1, 100, order=1)],
    "post": [post.author, post.permlink, post.title],
    "votes": [[vote["voter"], vote["percent"]] for vote in votes],
    "also": [
        header["previous"] == block["previous"],
        transaction["block_num"] == int(number),
        account.get_rc_manabar()["current_pct"] == 100,
    ],
}))

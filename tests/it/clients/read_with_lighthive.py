"""What the library `lighthive` reads. Usage: read_with_lighthive.py NODE BLOCK AUTHOR PERMLINK"""

import json
import sys
import time

from lighthive.client import Client

node, number, author, permlink = sys.argv[1:]
client = Client(nodes=[node], backoff_max_tries=1)


def five_blocks(number):
    """The ids of five blocks, each as soon as it is there."""
    while number < head + 5:
        if block := client.get_block(number):
            yield block["block_id"]
            number += 1
        else:
            time.sleep(0.1)


head = client.get_dynamic_global_properties()["head_block_number"]
block = client.get_block(int(number))
header = client.get_block_header(int(number))
account = client.account(author)
history = list(account.history(only_operation_data=False, order="asc"))
post = client.get_content(author, permlink)
also = [
    header["previous"] == block["previous"],
    account.rc() == 100,
    client("block_api").get_block_range({"starting_block_num": head, "count": 1})["blocks"][0]["block_id"] != "",
    client("database_api").get_dynamic_global_properties()["head_block_number"] >= head,
    client("database_api").find_accounts({"accounts": [author]})["accounts"][0]["name"] == author,
]
client("condenser_api")

print(json.dumps({
    "head": head,
    "block": block["block_id"],
    "operations": [name for transaction in block["transactions"] for name, _ in transaction["operations"]],
    "stream": list(five_blocks(head)),
    "account": account.raw_data["name"],
    "mana": account.vp(),
    "followers": account.followers(),
    "history": [entry["op"]["type"].removesuffix("_operation") for _, entry in history],
    "post": [post["author"], post["permlink"], post["title"]],
    "votes": [[vote["voter"], vote["percent"]] for vote in post["active_votes"]],
    "also": also,
}))

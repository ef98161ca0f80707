"""Prints each decision once: decisions.py DURABLE"""

import asyncio
import json
import os
import sys

import nats


async def main(durable: str) -> None:
    nc = await nats.connect(os.environ["NATS_URL"])
    decisions = await nc.jetstream().pull_subscribe("decisions.>", durable=durable, stream="DECISIONS")
    seen: set[str] = set()  # in your program: a table whose primary key is the id
    while True:
        try:
            messages = await decisions.fetch(100, timeout=5)
        except nats.errors.TimeoutError:
            continue  # no decision within five seconds
        for msg in messages:
            event = json.loads(msg.data)  # its "data" is listed in docs/events.md
            if event["id"] not in seen:
                print(msg.subject, event["subject"], flush=True)
                seen.add(event["id"])
            await msg.ack_sync()  # after the work is done: what is not acknowledged comes again


asyncio.run(main(sys.argv[1]))

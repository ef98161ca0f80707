"""Publishes one upload: publish.py ID FILE-OR-URL"""

import asyncio
import json
import os
import pathlib
import sys

import nats


async def main(upload_id: str, what: str) -> None:
    nc = await nats.connect(os.environ["NATS_URL"])
    headers = {"Nats-Msg-Id": upload_id}  # a second try with the same id stores nothing
    if "://" in what:
        headers["Content-Type"] = "application/json"
        body = json.dumps({"id": upload_id, "url": what, "uploader": "u-17"}).encode()
    else:
        body = pathlib.Path(what).read_bytes()
    await nc.jetstream().publish("uploads.example", body, headers=headers)  # waits until the stream has stored it
    await nc.drain()


asyncio.run(main(*sys.argv[1:]))

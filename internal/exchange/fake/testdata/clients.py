"""Reads the fakes of NCMEC and StopNCII with the clients of python-threatexchange, and gives feedback.

usage: clients.py NCMEC_URL STOPNCII_URL USER PASSWORD FEEDBACK_KEY
Prints a line for each hash of a picture that is not deleted (programme, type, hexadecimal digits), and for each vote of NCMEC's members.
"""

import sys
from types import SimpleNamespace

from threatexchange.exchanges.clients.ncmec.hash_api import FeedbackType, FingerprintType, NCMECEntryType, NCMECHashAPI
from threatexchange.exchanges.clients.stopncii.api import (
    StopNCIIAPI, StopNCIICaseStatus, StopNCIICSPFeedbackValue, StopNCIIEndpoint, StopNCIISignalType,
)

ncmec_url, stopncii_url, user, password, feedback_key = sys.argv[1:]

ncmec = NCMECHashAPI(user, password, SimpleNamespace(value=ncmec_url))
latest = {}
for page in ncmec.get_entries_iter(start_timestamp=1577836800):  # 2020
    for update in page.updates:
        if update.entry_type == NCMECEntryType.image:
            latest[update.member_id, update.id] = update
for update in latest.values():
    if not update.deleted:
        for kind, digits in update.fingerprints.items():
            print("ncmec", getattr(kind, "value", kind).lower(), digits.lower())
        for votes in update.feedback.values():
            for vote in votes:
                print("ncmec", vote.feedback_type.name, update.id)
ncmec.submit_upvote(42, "image2", FingerprintType.pdq)
ncmec.submit_feedback(42, "image5", FingerprintType.pdq, FeedbackType.downvote, "01234567-abcd-0123-4567-012345678900")

stopncii = StopNCIIAPI(password, user, {StopNCIIEndpoint.SubmitFeedback: feedback_key}, base_url_override=stopncii_url)
latest = {}
for page in stopncii.fetch_hashes_iter():
    for record in page.hashRecords:
        if record.signalType == StopNCIISignalType.ImagePDQ:
            latest[record.hashValue] = record
gone = (StopNCIICaseStatus.Withdrawn, StopNCIICaseStatus.Deleted)
for record in latest.values():
    if record.hashStatus not in gone:
        print("stopncii pdq", record.hashValue.lower())
stopncii.submit_feedback(StopNCIISignalType.ImagePDQ, "ab" * 32, StopNCIICSPFeedbackValue.PendingReview)

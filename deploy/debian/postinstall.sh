#!/bin/sh
set -e
# Where systemd does not run (a container), the user is made all the same.
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers moderator.conf
elif ! getent passwd moderator >/dev/null; then
	adduser --system --group --home /var/lib/moderator --no-create-home moderator
fi
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi

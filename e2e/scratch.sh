#!/bin/sh
# Prints the folder in which tests may put their files: in memory, where there
# is room for them and programs can be started from there. What tests wait for
# most is the disk, at fsync(2), and they do not look at what it has kept.
set -eu
dir=${TMPDIR:-/tmp}
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then
	room=$(df -Pk -t tmpfs /dev/shm 2>/dev/null | awk 'NR == 2 { print int($4 / 1048576) }')
	free=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
	try=$(mktemp /dev/shm/superlist.XXXXXX)
	trap 'rm -f "$try"' EXIT
	printf '#!/bin/sh\n' >"$try" && chmod 700 "$try"
	if [ "${room:-0}" -ge 4 ] && [ "${free:-0}" -ge 6 ] && "$try" 2>/dev/null; then
		dir=/dev/shm
	fi
fi
printf '%s\n' "$dir"

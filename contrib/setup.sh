#!/bin/sh
# Makes the user and the folders that superlist needs. Run by "make install";
# doing it again changes nothing.
set -eu
id superlist >/dev/null 2>&1 || useradd --system --home-dir /var/lib/superlist --shell /usr/sbin/nologin superlist
install -d -o superlist -g superlist -m 0700 /var/spool/superlist /var/lib/superlist
install -d -o superlist -g superlist -m 0755 /var/www/superlist # pages of archives, for a web server
# Within a folder of that user root changes nothing: a symbolic link may lie there.
su -s /bin/sh superlist -c 'umask 077; [ -d /var/lib/superlist/lists ] || mkdir /var/lib/superlist/lists'

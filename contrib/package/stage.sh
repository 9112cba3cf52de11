#!/bin/sh
# Puts everything that a package has into a directory: stage.sh DIR VERSION. Run by
# "make deb" and "make rpm", after "make build man".
set -eu
dir=$1 version=$2
here=$(dirname "$0")
contrib=$here/..
rm -rf "$dir"

make -s install DESTDIR="$dir" PREFIX=/usr
rm -r "${dir:?}/etc" # postinst makes superlist.toml, with this host's name

# Programs are in /usr/bin, and not where make install puts them.
put() { # FILE PATH
	install -d -m 0755 "$(dirname "$dir/$2")"
	sed 's,/usr/local/bin/,/usr/bin/,g; s,^PATH=/usr/local/bin:,PATH=,' "$1" >"$dir/$2"
	chmod 0644 "$dir/$2"
}

for unit in "$contrib"/systemd/*.*; do
	if [ -f "$unit" ]; then put "$unit" "units/$(basename "$unit")"; fi
done
put "$contrib/systemd/sysusers.d/superlist.conf" usr/lib/sysusers.d/superlist.conf
put "$contrib/systemd/tmpfiles.d/superlist.conf" usr/lib/tmpfiles.d/superlist.conf
put "$contrib/superlist.toml" usr/share/superlist/superlist.toml
put "$contrib/apparmor/superlist" usr/share/apparmor/extra-profiles/superlist
put "$contrib/fail2ban/filter.d/superlist.conf" config/etc/fail2ban/filter.d/superlist.conf
put "$contrib/logrotate.d/superlist" config/etc/logrotate.d/superlist

for shell in bash:bash-completion/completions/superlist zsh:zsh/vendor-completions/_superlist \
	fish:fish/vendor_completions.d/superlist.fish; do
	path=usr/share/${shell#*:}
	install -d -m 0755 "$(dirname "$dir/$path")"
	bin/superlist completion "${shell%%:*}" >"$dir/$path"
	chmod 0644 "$dir/$path"
done

doc=usr/share/doc/superlist
for file in README.md CHANGES.md docs/*.md; do put "$file" "$doc/$file"; done
put postfix-master.cf.example $doc/examples/master.cf
put "$contrib/list.toml" $doc/examples/list.toml
put "$contrib/xinetd/superlist" $doc/examples/xinetd
put "$contrib/cron.d/superlist" $doc/examples/cron.d
put "$contrib/fail2ban/jail.d/superlist.conf" $doc/examples/fail2ban-jail.conf
gzip -9n "$dir/$doc/CHANGES.md"

cp "$here/copyright" "$dir/$doc/copyright"
# The licences of what is linked, as they ask for.
go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./cmd/... | sort -u |
	while read -r module at; do
		printf '%s\n\n' "--- $module"
		find "$at" -maxdepth 1 -iname 'licen[cs]e*' -o -maxdepth 1 -name 'COPYING*' | sort | xargs cat
	done | gzip -9n >"$dir/$doc/modules.gz"
printf 'superlist (%s) unstable; urgency=medium\n\n  * CHANGES.md.gz says what is new.\n\n -- %s  %s\n' \
	"$version" "$MAINTAINER" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$dir/$doc/changelog.gz"
install -d -m 0755 "$dir/usr/share/lintian/overrides"
cp "$here/lintian-overrides" "$dir/usr/share/lintian/overrides/superlist"
find "$dir" -type f ! -perm -100 -exec chmod 0644 {} +

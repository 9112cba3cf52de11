#!/bin/sh
# Shows superlist from end to end, in a folder that is removed again: a list of
# three members, one recorded session, and what a member gets.
#
#   e2e/demo.sh BIN     where BIN has the programs
set -eu

bin=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export SUPERLIST_CONFIG="$dir/superlist.toml"

say() { printf '\n== %s\n' "$*"; }

cat >"$SUPERLIST_CONFIG" <<EOF
hostname  = "lists.example.org"
queue_dir = "$dir/spool"
lists_dir = "$dir/lists"
user      = ""
log       = "$dir/log"
kick      = ""
[relay]
address   = "maildir:$dir/mail"
EOF

say "A list with three members"
"$bin/superlist" list create dev@lists.example.org --owner olga@example.org --set description="People who build things"
"$bin/superlist" member add dev@lists.example.org alice@example.com bob@example.net carol@example.org

say "A post, as a mail server hands it over"
"$bin/play" testdata/post.session "$bin/superlist-spawn"

say "It is on disk"
"$bin/superlist" queue ls

say "superlist deliver"
"$bin/superlist" deliver

say "What bob@example.net got"
cat "$dir"/mail/bob@example.net/new/*

say "What the log says"
sed 's/^[^ ]* //' "$dir/log"

for member in alice@example.com bob@example.net carol@example.org; do
	if [ "$(find "$dir/mail/$member/new" -type f | wc -l)" != 1 ]; then
		echo "demo: $member should have one message" >&2
		exit 1
	fi
done
say "Each of the three members has it once."

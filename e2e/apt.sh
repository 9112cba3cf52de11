#!/bin/sh
# Installs the Debian packages that the end-to-end tests use, and those named as
# arguments, where they are missing. It needs root, starts no service, asks
# nothing, and never fails: what is missing afterwards it names, and the tests
# that want it are skipped.
#
#   e2e/apt.sh [package ...]
#   e2e/apt.sh -l              names what it has installed, and how to remove it

cd "$(dirname "$0")/.." || exit 0
installed=bin/apt-installed # since the last make clean
if [ "${1-}" = -l ]; then
	[ -s "$installed" ] || exit 0
	echo "apt.sh has installed for the tests: $(tr '\n' ' ' <"$installed")"
	echo "to remove them: apt-get purge --autoremove \$(cat $installed)"
	exit 0
fi

wanted="git b4 postfix libsasl2-modules dovecot-core swaks libnet-ssleay-perl openssl gnutls-bin xinetd socat man-db mandoc
	opendkim rspamd clamav-daemon clamav-milter miltertest unbound mlmmj
	strace systemd systemd-container debootstrap iproute2 util-linux $*"

missing() {
	for package in $wanted; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
			printf ' %s' "$package"
	done
}

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
	echo "apt.sh: no Debian here; the tests look for their programs themselves"
	exit 0
fi

need=$(missing)
[ -z "$need" ] && exit 0
if [ "$(id -u)" != 0 ]; then
	echo "apt.sh: not root, so not installed:$need"
	exit 0
fi

# invoke-rc.d and deb-systemd-invoke ask this program whether a service may
# start, and 101 is no. One that stands here already is left as it is.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	trap 'exit 0' HUP INT TERM
	printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
fi

# Postfix would ask what it is for: for the tests, which bring their own main.cf.
if command -v debconf-set-selections >/dev/null 2>&1; then
	echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections 2>/dev/null
fi

log=$(mktemp)
install() {
	# shellcheck disable=SC2086 # one word for each package
	DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq -y --no-install-recommends \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 $1 >>"$log" 2>&1 </dev/null
}
echo "apt.sh: installing$need"
if ! install "$need"; then
	apt-get update -qq >>"$log" 2>&1 </dev/null
	# All at once, or, where one of them is not to be had, as many as there are.
	install "$need" || for package in $need; do install "$package"; done
fi

mkdir -p bin
left=$(missing)
for package in $need; do
	case " $left " in *" $package "*) ;; *) echo "$package" >>"$installed" ;; esac
done
need=$left
if [ -n "$need" ]; then
	tail -n 20 "$log"
	echo "apt.sh: could not install:$need"
fi
rm -f "$log"
exit 0

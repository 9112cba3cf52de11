// Package e2e runs superlist behind the real launchers: Postfix, xinetd,
// systemd-socket-activate and a booted systemd, with the set-up files of this
// repository, byte for byte, at the places where an administrator puts them.
//
// Each scenario has a world of its own: the test binary starts itself again
// inside new mount, network and process namespaces (namespace_test.go), where
// /etc, /var and /usr/local are overlays, the loopback interface is empty and
// ports 25 and 10025 to 10027 are free. Nothing reaches the machine outside,
// and whatever a scenario started dies with its namespace.
//
// The namespaces take root. Without it, or without a program the scenario
// needs (apt.sh installs them), the test is skipped and says why.
//
// What a scenario runs, go test does not see: use -count=1, or it may answer
// from its cache after a change to a set-up file. A booted systemd takes a
// Debian tree, 240 MB, made once and kept in the user's cache folder:
//
//	go test -count=1 ./e2e
//	SUPERLIST_TEST_SYSTEMD=1 go test -count=1 -run TestSystemd ./e2e
package e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPackageRPM installs the rpm into a root of its own, upgrades it and erases it. The
// root is a Debian, since its tools are what the scripts call on any host.
func TestPackageRPM(t *testing.T) {
	older, newer := packageOf(t, "old/*.rpm"), packageOf(t, "new/*.rpm")
	if os.Getenv(roleEnv) != roleInside && os.Getuid() == 0 {
		os.Setenv(treeEnv, debianTree(t, "postfix")) // TestPackage's: both are started side by side
	}
	if !enter(t, "rpm", "chroot") {
		return
	}
	mountTree(t)
	rpm := func(args ...string) string {
		t.Helper()
		if args[0] != "-q" && args[0] != "--initdb" {
			args = append([]string{"--nodeps", "--nosignature"}, args...) // Debian's database names no package of rpm's
		}
		return run(t, "rpm", append([]string{"--root", root, "--dbpath", "/var/lib/rpm"}, args...)...)
	}
	inside := func(args ...string) string {
		t.Helper()
		return run(t, "chroot", append([]string{root}, args...)...)
	}
	must(t, os.MkdirAll(root+"/var/lib/rpm", 0o755))
	rpm("--initdb")
	rpm("-i", older)

	rpm("-V", "superlist") // each file is as the package has it
	want := map[string]string{
		"/usr/bin/superlist":                             "755 root root regular file",
		"/usr/lib/systemd/system/superlist.socket":       "644 root root regular file",
		"/usr/lib/systemd/system/superlist-deliver.path": "644 root root regular file",
		"/etc/superlist/superlist.toml":                  "644 root root regular file",
		"/etc/logrotate.d/superlist":                     "644 root root regular file",
		"/var/lib/superlist":                             "700 superlist superlist directory",
		"/var/lib/superlist/lists":                       "700 superlist superlist directory",
		"/var/spool/superlist":                           "700 superlist superlist directory",
		"/var/www/superlist":                             "755 superlist superlist directory",
	}
	for path, is := range want {
		if now := strings.TrimSpace(inside("stat", "-c", "%a %U %G %F", path)); now != is {
			t.Errorf("%s: %s, want %s", path, now, is)
		}
	}
	if text := inside("cat", "/etc/superlist/superlist.toml"); !regexp.MustCompile(`(?m)^hostname = "\S+"$`).MatchString(text) {
		t.Errorf("the first superlist.toml:\n%s", text)
	}
	inside("superlist", "list", "create", list, "--owner", "you@example.org")

	t.Log("upgraded: what was changed stays")
	inside("sh", "-c", "echo '# mine' >>/etc/superlist/superlist.toml; echo '# mine' >>/etc/logrotate.d/superlist; systemd-sysusers superlist.conf")
	toml, version := inside("cat", "/etc/superlist/superlist.toml"), rpm("-q", "superlist")
	rpm("-U", newer)
	if now := rpm("-q", "superlist"); now == version {
		t.Errorf("still %s", now)
	}
	if now := inside("cat", "/etc/superlist/superlist.toml"); now != toml {
		t.Errorf("the upgrade has changed superlist.toml:\n%s", now)
	}
	if text := inside("cat", "/etc/logrotate.d/superlist"); !strings.HasSuffix(text, "# mine\n") {
		t.Errorf("the upgrade has changed a configuration file:\n%s", text)
	}
	inside("superlist", "list", "show", list)

	t.Log("erased: what is the administrator's stays")
	must(t, os.MkdirAll(root+"/etc/postfix/superlist-setup", 0o700))
	if out := rpm("-e", "superlist"); !strings.Contains(out, "superlist: Postfix still brings mail for the lists here") {
		t.Errorf("erasing says nothing of Postfix:\n%s", out)
	}
	for _, gone := range []string{"/usr/bin/superlist*", "/usr/lib/systemd/system/superlist*", "/usr/share/superlist", "/usr/share/man/man?/superlist*"} {
		if left, _ := filepath.Glob(root + gone); left != nil {
			t.Errorf("left: %v", left)
		}
	}
	for _, path := range []string{"/etc/superlist/superlist.toml", "/var/lib/superlist/lists/lists.example.org/dev/list.toml", "/etc/logrotate.d/superlist.rpmsave"} {
		if _, err := os.Stat(root + path); err != nil {
			t.Errorf("gone: %v", err)
		}
	}
}

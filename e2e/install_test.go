package e2e

import (
	"os"
	"strings"
	"testing"
)

// TestInstallFollowsNoLink: what root does at "make install" and at the installation of a
// package changes nothing that the user of superlist has laid a symbolic link to.
func TestInstallFollowsNoLink(t *testing.T) {
	if !enter(t, "useradd", "runuser", "su") {
		return
	}
	must(t, os.MkdirAll("/usr/share/superlist", 0o755))
	toml, err := os.ReadFile("../contrib/superlist.toml")
	must(t, err)
	must(t, os.WriteFile("/usr/share/superlist/superlist.toml", toml, 0o644))
	owners := func() string {
		return run(t, "stat", "-c", "%U %a", "/var/spool/superlist", "/var/lib/superlist", "/var/lib/superlist/lists", "/var/www/superlist")
	}
	const whole = "superlist 700\nsuperlist 700\nsuperlist 700\nsuperlist 755\n"
	for _, command := range []string{"../contrib/setup.sh", "../contrib/package/postinst configure"} {
		for range 2 {
			run(t, "sh", "-c", "sh "+command)
			if got := owners(); got != whole {
				t.Errorf("%s:\n%s", command, got)
			}
		}
		run(t, "sh", "-c", "rm -rf /srv/dir /etc/superlist; mkdir -m 0755 /srv/dir; echo untouched >/srv/dir/file")
		run(t, "runuser", "-u", "superlist", "--", "sh", "-c",
			"rmdir /var/lib/superlist/lists; ln -s /srv/dir /var/lib/superlist/lists; ln -sf /srv/dir/file /var/lib/superlist/.superlist.toml.first")
		run(t, "sh", "-c", "sh "+command)
		if got := run(t, "sh", "-c", "stat -c '%U %a' /srv/dir; cat /srv/dir/file"); got != "root 755\nuntouched\n" {
			t.Errorf("%s, with a link: %s", command, got)
		}
		run(t, "sh", "-c", "rm -rf /var/lib/superlist /var/spool/superlist /var/www/superlist /etc/superlist")
	}

	run(t, "sh", "-c", "sh ../contrib/package/postinst configure; sh ../contrib/package/postrm purge")
	if left, err := os.ReadDir("/etc/superlist"); err == nil {
		t.Errorf("after purge: %v", left)
	}
	run(t, "sh", "-c", "sh ../contrib/package/postinst configure; echo '# mine' >>/etc/superlist/superlist.toml; sh ../contrib/package/postrm purge")
	if left, err := os.ReadFile("/etc/superlist/superlist.toml"); err != nil || !strings.HasSuffix(string(left), "# mine\n") {
		t.Errorf("what is mine: %.100s, %v", left, err)
	}
}

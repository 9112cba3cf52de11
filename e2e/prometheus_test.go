package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"superlist/e2e/unpack"
	"superlist/lists/status"
)

// TestPrometheus: promtool finds nothing wrong with the metrics, which a real deliver has
// written, nor with the alerts, which go off when they should; and alerts and dashboard
// ask for metrics that there are.
func TestPrometheus(t *testing.T) {
	dir, _, err := unpack.Debian("prometheus")
	if err != nil {
		if os.Geteuid() == 0 {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	promtool := func(in string, args ...string) {
		t.Helper()
		cmd := exec.Command(filepath.Join(dir, "usr/bin/promtool"), args...)
		cmd.Dir = "../contrib/prometheus"
		cmd.Stdin = strings.NewReader(in)
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+filepath.Join(dir, "usr/lib/x86_64-linux-gnu"))
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "superlist_") && args[0] == "check" && args[1] == "metrics" {
			t.Errorf("promtool %q: %v\n%s", args, err, out)
		}
	}
	promtool("", "check", "rules", "superlist.rules.yml")
	promtool("", "test", "rules", "superlist.rules.test.yml")

	bin, err := programs()
	must(t, err)
	site := t.TempDir()
	file := filepath.Join(site, "superlist.prom")
	must(t, os.WriteFile(filepath.Join(site, "superlist.toml"), []byte(`hostname = "lists.example.org"
queue_dir = "`+site+`/spool"
lists_dir = "`+site+`/lists"
user = ""
kick = ""
log = "none"
metrics = "`+file+`"
[relay]
address = "maildir:`+site+`/out"
`), 0o600))
	for _, args := range [][]string{
		{"list", "create", "dev@lists.example.org", "--owner", "olga@example.org"},
		{"member", "add", "dev@lists.example.org", "alice@example.com"},
		{"deliver"},
	} {
		cmd := exec.Command(filepath.Join(bin, "superlist"), append([]string{"-c", site + "/superlist.toml"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	text, err := os.ReadFile(file)
	must(t, err)
	promtool(string(text), "check", "metrics")
	if !strings.Contains(string(text), "\nsuperlist_subscribed_total 1\n") {
		t.Errorf("who was added is not counted:\n%s", text)
	}

	var names []string
	for _, f := range status.Families() {
		names = append(names, f.Name)
	}
	for _, name := range []string{"superlist.rules.yml", "superlist.rules.test.yml", "superlist-grafana.json"} {
		text, err := os.ReadFile("../contrib/prometheus/" + name)
		must(t, err)
		if strings.HasSuffix(name, ".json") && !json.Valid(text) {
			t.Errorf("%s is not JSON", name)
		}
		asked := regexp.MustCompile(`\bsuperlist_[a-z_]+`).FindAllString(string(text), -1)
		if len(asked) < 10 {
			t.Errorf("%s asks for %q", name, asked)
		}
		for _, metric := range asked {
			if !slices.Contains(names, metric) {
				t.Errorf("%s asks for %s, which nobody writes", name, metric)
			}
		}
	}
}

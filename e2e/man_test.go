package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestManPages: each command, program and file has a page, which man shows without
// a complaint and in which mandoc finds nothing wrong.
func TestManPages(t *testing.T) {
	for _, program := range []string{"man", "mandoc"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed")
		}
	}
	bin, err := programs()
	must(t, err)
	out := t.TempDir()
	write := exec.Command("go", "run", "-trimpath", "-tags", "man", "./cmd/superlist", bin, out)
	write.Dir = ".."
	if text, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	pages, err := filepath.Glob(out + "/man?/*")
	must(t, err)
	var names []string
	for _, page := range pages {
		name := filepath.Base(page)
		names = append(names, name)
		if text, err := exec.Command("mandoc", "-T", "lint", "-W", "style", page).CombinedOutput(); len(text) > 0 || err != nil {
			t.Errorf("mandoc: %v\n%s", err, text)
		}
		cmd := exec.Command("man", "--warnings", "-l", page)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=80", "MANPAGER=cat")
		var complaint strings.Builder
		cmd.Stderr = &complaint
		text, err := cmd.Output()
		if err != nil || complaint.Len() > 0 || !strings.Contains(string(text), "SEE ALSO") {
			t.Errorf("man -l %s: %v, %s\n%s", name, err, complaint.String(), text)
		}
		for _, escaped := range []string{`\e`, `\-`, `\(`, `\[`, "@DATE@"} {
			if strings.Contains(string(text), escaped) && !(escaped == `\[` && name == "rules.5") {
				t.Errorf("%s shows %s", name, escaped)
			}
		}
	}
	for _, want := range []string{"superlist.1", "superlist-list-create.1", "superlist-held-approve.1", "superlist-check.1", "superlist-spawn.8",
		"superlist-session.8", "superlist-milter.8", "superlist-policy.8", "superlist-web.8", "superlist.toml.5", "list.toml.5", "rules.5", "superlist-spool.5", "superlist-log.5", "superlist-metrics.5"} {
		if !slices.Contains(names, want) {
			t.Errorf("there is no %s among %q", want, names)
		}
	}
	named := regexp.MustCompile(`\b(superlist[a-z.-]*|list\.toml|rules)\(([1-8])\)`)
	for file, text := range manuals(t) {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if page := m[1] + "." + m[2]; !slices.Contains(names, page) {
				t.Errorf("%s names %s, and there is no %s", file, m[0], page)
			}
		}
	}
}

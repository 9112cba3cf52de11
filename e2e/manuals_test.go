package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"superlist/cmd/superlist/postfix"
)

// manuals are the files whose fenced blocks an administrator copies: README.md
// and docs/.
func manuals(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../docs/*.md")
	must(t, err)
	text := make(map[string]string)
	for _, file := range append(files, "../README.md") {
		data, err := os.ReadFile(file)
		must(t, err)
		text[file] = string(data)
	}
	return text
}

// block is the fenced block of the manuals below the line <!-- test: NAME -->.
func block(t *testing.T, name string) string {
	t.Helper()
	marker := "<!-- test: " + name + " -->\n```"
	found, text := 0, ""
	for file, data := range manuals(t) {
		_, rest, ok := strings.Cut(data, marker)
		if !ok {
			continue
		}
		found += strings.Count(data, marker)
		_, rest, _ = strings.Cut(rest, "\n") // the language of the block
		if text, _, ok = strings.Cut(rest, "\n```\n"); !ok {
			t.Fatalf("%s: the block %q does not end", file, name)
		}
	}
	if found != 1 {
		t.Fatalf("%d blocks are marked %q, want 1", found, name)
	}
	return text + "\n"
}

// TestSetupHasTheManuals: what superlist setup postfix adds to main.cf is what the
// manuals say.
func TestSetupHasTheManuals(t *testing.T) {
	for _, way := range postfix.Ways {
		if got, want := postfix.MainOf(way), block(t, "main.cf "+way); got != want {
			t.Errorf("cmd/superlist/postfix/%s.cf is\n%s\nand the manual has\n%s", way, got, want)
		}
	}
}

// maxReadme is how long README.md may be: what is more belongs into docs/.
const maxReadme = 130

// TestManuals: README.md is short and leads to each file of docs/, and links lead
// to files and headings that exist.
func TestManuals(t *testing.T) {
	all := manuals(t)
	readme := all["../README.md"]
	if n := strings.Count(readme, "\n"); n > maxReadme {
		t.Errorf("README.md has %d lines, more than %d", n, maxReadme)
	}
	for file := range all {
		if name := strings.TrimPrefix(file, "../"); name != "README.md" && !strings.Contains(readme, "]("+name+")") {
			t.Errorf("README.md does not lead to %s", name)
		}
	}
	develop, err := os.ReadFile("../DEVELOP.md")
	must(t, err)
	all["../DEVELOP.md"] = string(develop)
	link := regexp.MustCompile(`\]\(([^):#]*)(#[^)]*)?\)`)
	for file, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			to := file
			if m[1] != "" {
				to = filepath.Join(filepath.Dir(file), m[1])
			}
			target, err := os.ReadFile(to)
			if err != nil {
				t.Errorf("%s: %v", file, err)
			} else if m[2] != "" && !hasHeading(string(target), m[2][1:]) {
				t.Errorf("%s: %s has no heading %s", file, to, m[2])
			}
		}
	}
}

// hasHeading reports whether a file of Markdown has the heading that this anchor
// names.
func hasHeading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			slug := strings.Map(func(c rune) rune {
				switch {
				case c == ' ':
					return '-'
				case c == '-' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
					return c
				}
				return -1
			}, strings.ToLower(strings.TrimSpace(heading)))
			if slug == anchor {
				return true
			}
		}
	}
	return false
}

// TestWhereItIsDecided: DEVELOP.md's table names files that exist, and in each the
// name that is there.
func TestWhereItIsDecided(t *testing.T) {
	develop, err := os.ReadFile("../DEVELOP.md")
	must(t, err)
	_, table, _ := strings.Cut(string(develop), "\n## Where is it decided?\n")
	table, _, _ = strings.Cut(table, "\n## ")
	rows := regexp.MustCompile("(?m)^\\|.*\\| `([^`]+)` \\| `([^`]+)` \\|$").FindAllStringSubmatch(table, -1)
	for _, row := range rows {
		text, err := os.ReadFile("../" + row[1])
		if err != nil {
			t.Errorf("DEVELOP.md, Where is it decided: %v", err)
		} else if !regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(row[2])).Match(text) {
			t.Errorf("DEVELOP.md, Where is it decided: %s has no %s", row[1], row[2])
		}
	}
	if len(rows) < 20 {
		t.Errorf("DEVELOP.md, Where is it decided: %d rows", len(rows))
	}
}

// TestMakeTargets: what the manuals have somebody make, the Makefile makes.
func TestMakeTargets(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	must(t, err)
	develop, err := os.ReadFile("../DEVELOP.md")
	must(t, err)
	texts := manuals(t)
	texts["../DEVELOP.md"] = string(develop)
	said, n := regexp.MustCompile("(?m)(?:^|`)make ((?:[a-z][a-z-]* ?)+)"), 0
	for file, text := range texts {
		for _, m := range said.FindAllStringSubmatch(text, -1) {
			for target := range strings.FieldsSeq(m[1]) {
				if n++; !regexp.MustCompile("(?m)^" + target + ":").Match(makefile) {
					t.Errorf("%s: make %s is not in the Makefile", file, target)
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d targets were found", n)
	}
}

// TestNoRace: what a test file leaves out under the race detector, make test runs
// without it.
func TestNoRace(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	must(t, err)
	m := regexp.MustCompile(`(?m)^NO_RACE = -run '(.*)' (.*)$`).FindStringSubmatch(string(makefile))
	if m == nil {
		t.Fatal("the Makefile has no NO_RACE")
	}
	runs := regexp.MustCompile(strings.ReplaceAll(m[1], "$$", "$"))
	n := 0
	must(t, filepath.WalkDir("..", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(text), "//go:build !race\n") {
			return err
		}
		if dir := "./" + strings.TrimPrefix(filepath.Dir(file), "../"); !slices.Contains(strings.Fields(m[2]), dir) {
			t.Errorf("%s: NO_RACE has no %s", file, dir)
		}
		for _, f := range regexp.MustCompile(`(?m)^func (Test\w+)\(t `).FindAllStringSubmatch(string(text), -1) {
			if n++; !runs.MatchString(f[1]) {
				t.Errorf("%s: NO_RACE does not run %s", file, f[1])
			}
		}
		return nil
	}))
	if n < 4 {
		t.Errorf("only %d tests were found", n)
	}
}

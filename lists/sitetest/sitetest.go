// Package sitetest writes the site that a test needs: its superlist.toml, its
// lists, and what a recording wants to be there. It does not load it, so that the
// tests of package lists can use it, too.
package sitetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Config is the superlist.toml of lists.example.org below dir. The site belongs to
// whoever runs the test, wakes nobody and has no log. Each of settings is a line of
// TOML, which takes the place of the line with the same key, or several lines with
// tables at their end.
func Config(dir string, settings ...string) string {
	lines := []string{
		`hostname = "lists.example.org"`,
		fmt.Sprintf("queue_dir = %q", dir+"/spool"),
		fmt.Sprintf("lists_dir = %q", dir+"/lists"),
		`user = ""`,
		`kick = ""`,
		`log = "none"`,
	}
	more := strings.Join(settings, "\n") + "\n"
	top, _, _ := strings.Cut("\n"+more, "\n[")
	var b strings.Builder
	for _, line := range lines {
		key, _, _ := strings.Cut(line, " ")
		if !strings.Contains(top, "\n"+key+" =") {
			b.WriteString(line + "\n")
		}
	}
	return b.String() + Pages(dir, more)
}

// Pages is a text of superlist.toml with a place below dir for the pages of archives, if
// it names none: root must not write where the host's web server looks.
func Pages(dir, text string) string {
	root := fmt.Sprintf("root = %q\n", dir+"/www")
	before, after, there := strings.Cut("\n"+text, "\n[web]\n")
	switch {
	case !there:
		return text + "[web]\n" + root
	case strings.Contains("\n"+after, "\nroot ="):
		return text
	}
	return before[min(1, len(before)):] + "\n[web]\n" + root + after
}

// Write writes a superlist.toml into dir and gives its name.
func Write(t testing.TB, dir string, settings ...string) string {
	t.Helper()
	Files(t, dir, map[string]string{"superlist.toml": Config(dir, settings...)})
	return filepath.Join(dir, "superlist.toml")
}

// Files writes files below dir, by their names, and the folders that they need.
func Files(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

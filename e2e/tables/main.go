// Tables writes what was measured into the documents: docs/figures.json, which
// e2e/bench has filled, into docs/performance.md, its picture and README.md, and
// docs/torture.json and the tests themselves into docs/reliability.md.
//
//	go run ./e2e/tables
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"superlist/e2e/figures"
)

func main() {
	files, err := documents(".")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err == nil {
			err = os.WriteFile(name, []byte(files[name]), 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tables:", err)
		os.Exit(1)
	}
}

// documents are the files with what is measured in them, by name.
func documents(top string) (map[string]string, error) {
	measured, err := figures.Read(filepath.Join(top, "docs/figures.json"))
	if err != nil {
		return nil, err
	}
	torture, err := readTorture(filepath.Join(top, "docs/torture.json"))
	if err != nil {
		return nil, err
	}
	loops, err := loops(top)
	if err != nil {
		return nil, err
	}
	bars := barsOf(measured)
	files := map[string]string{filepath.Join(top, "docs/performance.svg"): picture(bars)}
	for name, blocks := range map[string]map[string]string{
		"README.md":           {"picture": link("docs/performance.svg", bars)},
		"docs/performance.md": {"picture": link("performance.svg", bars), "lost": lost(measured), "figures": tables(measured)},
		"docs/reliability.md": {"torture": tortureTable(torture), "loops": loopTable(loops)},
	} {
		path := filepath.Join(top, name)
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if files[path], err = fill(string(text), blocks); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return files, nil
}

// fill replaces what stands between <!-- measured: NAME --> and <!-- end -->.
func fill(text string, blocks map[string]string) (string, error) {
	const end = "<!-- end -->"
	for name, block := range blocks {
		mark := "<!-- measured: " + name + " -->\n"
		before, rest, begins := strings.Cut(text, mark)
		_, after, ends := strings.Cut(rest, end)
		if !begins || !ends || strings.Contains(after, mark) {
			return "", fmt.Errorf("want one %s and %s behind it", strings.TrimSpace(mark), end)
		}
		text = before + mark + "\n" + block + "\n" + end + after
	}
	return text, nil
}

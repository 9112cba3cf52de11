// Fuzz runs all fuzz targets, one after the other, and says what each has covered.
//
//	go run ./e2e/fuzz -time 1m
//	go run ./e2e/fuzz -only FuzzWalk -time 10m -keep 8
//
// What a target has found stays in Go's cache; -keep puts some of the smallest new inputs
// into testdata/fuzz, where go test runs them.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxKept is the largest input that is kept: larger ones say nothing that these do not.
const maxKept = 300

func main() {
	each := flag.Duration("time", time.Minute, "how long each target runs")
	only := flag.String("only", "", "targets that have this in their `name`")
	keep := flag.Int("keep", 0, "how many new `inputs` of each target to keep")
	flag.Parse()
	if err := run(*each, *only, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

func run(each time.Duration, only string, keep int) error {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{.Dir}}", "./...").Output()
	if err != nil {
		return err
	}
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return err
	}
	fmt.Printf("%-40s %-18s %12s %8s %8s %8s\n", "package", "target", "executions", "new", "corpus", "seconds")
	tried, failed := 0, 0
	for line := range strings.Lines(string(out)) {
		pkg, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		targets, err := targetsIn(dir)
		if err != nil {
			return err
		}
		for _, target := range targets {
			if !strings.Contains(target, only) {
				continue
			}
			tried++
			begin := time.Now()
			c, err := fuzz(pkg, target, each)
			fmt.Printf("%-40s %-18s %12s %8s %8s %8.1f\n", strings.TrimPrefix(pkg, "superlist/"), target, c[1], c[2], c[3], time.Since(begin).Seconds())
			if err != nil {
				failed++
				fmt.Println(err)
			}
			if err := keepSome(filepath.Join(strings.TrimSpace(string(cache)), "fuzz", pkg, target), filepath.Join(dir, "testdata", "fuzz", target), begin, keep); err != nil {
				return err
			}
		}
	}
	if tried == 0 {
		return fmt.Errorf("no target has %q in its name", only)
	}
	if failed > 0 {
		return fmt.Errorf("%d targets have found something", failed)
	}
	return nil
}

var target = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// targetsIn are the fuzz targets of a package, in the order of its files.
func targetsIn(dir string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	for _, file := range files {
		text, rerr := os.ReadFile(file)
		if rerr != nil {
			return nil, rerr
		}
		for _, found := range target.FindAllSubmatch(text, -1) {
			names = append(names, string(found[1]))
		}
	}
	return names, err
}

// covered is the line that go test prints every three seconds.
var covered = regexp.MustCompile(`execs: (\d+) .*new interesting: (\d+) \(total: (\d+)\)`)

// fuzz runs one target: how often it was called, how many inputs found something new, and
// how many there are.
func fuzz(pkg, name string, each time.Duration) (c [4]string, err error) {
	cmd := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+name+"$", "-fuzztime", each.String(), "-fuzzminimizetime", "20x", pkg)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return c, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return c, err
	}
	var said []string
	for in := bufio.NewScanner(out); in.Scan(); {
		if found := covered.FindStringSubmatch(in.Text()); found != nil {
			c = [4]string(found)
		} else {
			said = append(said, in.Text())
		}
	}
	if err := cmd.Wait(); err != nil {
		return c, fmt.Errorf("%w: %s", err, strings.Join(said, "\n"))
	}
	return c, nil
}

// keepSome copies the smallest inputs that are newer than begin.
func keepSome(from, to string, begin time.Time, most int) error {
	entries, err := os.ReadDir(from)
	if err != nil || most == 0 {
		return nil // nothing was found yet
	}
	var fresh []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.ModTime().After(begin) && info.Size() < maxKept {
			fresh = append(fresh, info)
		}
	}
	slices.SortFunc(fresh, func(a, b fs.FileInfo) int { return int(a.Size() - b.Size()) })
	for _, info := range fresh[:min(most, len(fresh))] {
		text, err := os.ReadFile(filepath.Join(from, info.Name()))
		if err == nil {
			err = os.MkdirAll(to, 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, info.Name()), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

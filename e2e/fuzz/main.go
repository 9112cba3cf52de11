// Fuzz runs all fuzz targets, one after the other, and says what each has covered: the
// statements of its package that go test reaches by it.
//
//	go run ./e2e/fuzz -time 1m
//	go run ./e2e/fuzz -only FuzzWalk -time 10m -keep
//	go run ./e2e/fuzz -time 0 -keep        what was found before
//
// What a target has found stays in Go's cache; -keep puts the smallest inputs that reach
// what no others do into testdata/fuzz, where go test runs them.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	each := flag.Duration("time", time.Minute, "how long each target runs; 0: not at all")
	only := flag.String("only", "", "targets that have this in their `name`")
	keep := flag.Bool("keep", false, "keep the inputs that reach something new")
	flag.Parse()
	if err := run(*each, *only, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

func run(each time.Duration, only string, keep bool) error {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{.Dir}}", "./...").Output()
	if err != nil {
		return err
	}
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return err
	}
	fmt.Printf("%-40s %-18s %12s %8s %8s %8s  %s\n", "package", "target", "executions", "new", "corpus", "seconds", "covered")
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
			said, cerr := covered(pkg, dir, target, strings.TrimSpace(string(cache)), keep)
			fmt.Printf("%-40s %-18s %12s %8s %8s %8.1f  %s\n", strings.TrimPrefix(pkg, "superlist/"), target, c[1], c[2], c[3], time.Since(begin).Seconds(), said)
			if err = errors.Join(err, cerr); err != nil {
				failed++
				fmt.Println(err)
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

// progress is the line that go test prints every three seconds.
var progress = regexp.MustCompile(`execs: (\d+) .*new interesting: (\d+) \(total: (\d+)\)`)

// fuzz runs one target: how often it was called, how many inputs found something new, and
// how many there are.
func fuzz(pkg, name string, each time.Duration) (c [4]string, err error) {
	if each == 0 {
		return c, nil
	}
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
		if found := progress.FindStringSubmatch(in.Text()); found != nil {
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

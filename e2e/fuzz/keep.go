package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	// maxInput is the largest input that is kept, in bytes.
	maxInput = 4 << 10
	// maxKept is how many are kept of each target.
	maxKept = 40
)

// statements are those of the package under test that an input reaches, by their place,
// and how many there are in each.
type statements map[string]int

func (s statements) number() (n int) {
	for _, of := range s {
		n += of
	}
	return n
}

// A tester runs one fuzz target with inputs of its choice, and sees what they reach.
type tester struct {
	pkg, dir, target string
	work             string // it has the compiled test, and places to run it in
}

func newTester(pkg, dir, target string) (*tester, error) {
	work, err := os.MkdirTemp("", "fuzz-")
	if err != nil {
		return nil, err
	}
	t := &tester{pkg: pkg, dir: dir, target: target, work: work}
	out, err := exec.Command("go", "test", "-c", "-covermode=set", "-coverpkg="+pkg, "-o", work+"/test", pkg).CombinedOutput()
	if err != nil {
		return t, fmt.Errorf("%s: %w\n%s", pkg, err, out)
	}
	return t, nil
}

func (t *tester) close() { os.RemoveAll(t.work) }

// place makes a folder that looks like the package's, seen from there too, but without
// inputs: the rest is links to what the source has.
func (t *tester) place() (dir string, err error) {
	top, err := os.Getwd()
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(top, t.dir)
	if err != nil {
		return "", err
	}
	at, err := os.MkdirTemp(t.work, "place-")
	way := strings.Split(filepath.Join(rel, "testdata", "fuzz"), "/")
	for i, next := range way {
		if err != nil {
			return "", err
		}
		entries, _ := os.ReadDir(filepath.Join(top, filepath.Join(way[:i]...))) // it need not have a testdata
		for _, e := range entries {
			if e.Name() != next {
				err = cmp.Or(err, os.Symlink(filepath.Join(top, filepath.Join(way[:i]...), e.Name()), filepath.Join(at, e.Name())))
			}
		}
		at = filepath.Join(at, next)
		err = cmp.Or(err, os.Mkdir(at, 0o755))
	}
	return filepath.Dir(filepath.Dir(at)), err
}

// reaches runs the target in such a place, with these inputs. run is the pattern of what
// is run. all are all statements, reached or not.
func (t *tester) reaches(place, run string, inputs ...string) (reached, all statements, err error) {
	corpus := filepath.Join(place, "testdata", "fuzz", t.target)
	if err := os.Mkdir(corpus, 0o755); err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(corpus)
	for _, input := range inputs {
		if err := os.Symlink(input, filepath.Join(corpus, filepath.Base(input))); err != nil {
			return nil, nil, err
		}
	}
	cmd := exec.Command(t.work+"/test", "-test.run", run, "-test.coverprofile", place+".profile")
	cmd.Dir = place
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("%w\n%s", err, out)
	}
	return profile(place + ".profile")
}

// profile reads what go test writes: file:from,to, how many statements, how often.
func profile(file string) (reached, all statements, err error) {
	text, err := os.ReadFile(file)
	reached, all = make(statements), make(statements)
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 {
			all[f[0]], _ = strconv.Atoi(f[1])
			if f[2] != "0" {
				reached[f[0]] = all[f[0]]
			}
		}
	}
	return reached, all, err
}

// corpus are the inputs in a folder that are not too large, the smallest first.
func corpus(dir string) (files []string) {
	entries, _ := os.ReadDir(dir) // there need not be any
	var infos []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Size() <= maxInput {
			infos = append(infos, info)
		}
	}
	slices.SortStableFunc(infos, func(a, b fs.FileInfo) int { return int(a.Size() - b.Size()) })
	for _, info := range infos {
		files = append(files, filepath.Join(dir, info.Name()))
	}
	return files
}

// covered says how much of its package a target reaches with what go test runs: its
// seeds, and the inputs in testdata/fuzz. With keep, the smallest inputs of Go's cache
// that reach something more are put there too. What is there stays, since it may have
// been a finding.
func covered(pkg, dir, target, cache string, keep bool) (said string, err error) {
	t, err := newTester(pkg, dir, target)
	if t != nil {
		defer t.close()
	}
	if err != nil {
		return "", err
	}
	place, err := t.place()
	if err != nil {
		return "", err
	}
	here := filepath.Join(dir, "testdata", "fuzz", target)
	before, all, err := t.reaches(place, "^"+target+"$", corpus(here)...)
	if err != nil {
		return "", err
	}
	share := func(s statements) string {
		return fmt.Sprintf("%.1f%%", 100*float64(s.number())/float64(max(all.number(), 1)))
	}
	if !keep {
		return share(before), nil
	}
	kept, err := t.choose(before, corpus(filepath.Join(cache, "fuzz", pkg, target)))
	if err != nil {
		return "", err
	}
	for _, input := range kept {
		if err := put(input, here); err != nil {
			return "", err
		}
	}
	after, _, err := t.reaches(place, "^"+target+"$", corpus(here)...)
	return fmt.Sprintf("%s → %s with %d inputs more", share(before), share(after), len(kept)), err
}

// choose takes of the inputs, from the first on, what reaches something new, and leaves
// out again what those that were taken later reach too. An input that fails is left out:
// it is of an earlier form of its target, or go test -fuzz says so itself.
func (t *tester) choose(reached statements, inputs []string) (kept []string, err error) {
	of := make([]statements, len(inputs))
	var wait sync.WaitGroup
	next := make(chan int)
	for range runtime.NumCPU() {
		place, err := t.place()
		if err != nil {
			return nil, err
		}
		wait.Go(func() {
			for i := range next {
				of[i], _, _ = t.reaches(place, "^"+t.target+"$/^"+regexp.QuoteMeta(filepath.Base(inputs[i]))+"$", inputs[i])
			}
		})
	}
	for i := range inputs {
		next <- i
	}
	close(next)
	wait.Wait()
	var taken []int
	have := maps.Clone(reached)
	for i, s := range of {
		before := len(have)
		maps.Copy(have, s)
		if len(have) > before {
			taken = append(taken, i)
		}
	}
	for k := 0; k < len(taken); {
		have := maps.Clone(reached)
		for j, i := range taken {
			if j != k {
				maps.Copy(have, of[i])
			}
		}
		needed := false
		for place := range of[taken[k]] {
			if _, there := have[place]; !there {
				needed = true
			}
		}
		if needed {
			k++
		} else {
			taken = slices.Delete(taken, k, k+1)
		}
	}
	for _, i := range taken[:min(len(taken), maxKept)] {
		kept = append(kept, inputs[i])
	}
	return kept, nil
}

// put copies an input into a folder.
func put(input, dir string) error {
	text, err := os.ReadFile(input)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, filepath.Base(input)), text, 0o644)
	}
	return err
}

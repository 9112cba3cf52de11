// Torture does to superlist what a bad year does to a mail server, and holds what is
// promised: what got 250 arrives, nothing is there by half, and the next run puts it right.
//
//	go run ./e2e/torture -time 10m
//	go run ./e2e/torture -only kill,power -act "list mv" -time 5m -keep
//
// It ends with a table, and with the same as JSON where -json says so. Linux on amd64; some
// parts need root, and a Postfix.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A torture is one run.
type torture struct {
	work, bin string
	acts      []act
	prepared  []*scene
	most      int // tries a part; 0: as many as there is time for
	keep      bool
	n         atomic.Int64 // of directories
	mu        sync.Mutex   // of the terminal
}

// A part is one kind of trouble, with its share of the time.
type part struct {
	name  string
	what  string // one line of the table
	share int
	run   func(t *torture, r *result, until time.Time) error
	acts  bool // it interrupts acts, which are prepared first
}

// parts are in the order in which they run: those that can stop at any moment come last,
// and make up for the others.
var parts = []part{
	{"load", "sessions at a time that end at random, a Postfix that is restarted: mail in mailboxes", 20, load, false},
	{"siege", "junk, slow clients and early talkers at full connection limits: posts pass in time", 15, siege, false},
	{"week", "a busy week and two quiet ones, with the clock moved: digests, expiry, bounces, archive, web", 20, inOwnTime("week"), false},
	{"clock", "the clock jumps both ways, between and under programs", 10, inOwnTime("clock"), false},
	{"power", "power cut after each call that changes the disk, four kinds of disk", 15, powerCut, true},
	{"disk", "from each of them on a tmpfs is full, has no inode left, or is read-only", 15, onDisk, true},
	{"files", "no more than so many files may be open, from 0 to 39: EMFILE", 5, fewFiles, true},
	{"fail", "each of them fails: EIO, ENOSPC, EDQUOT, EROFS", 15, failing, true},
	{"kill", "kill -9 at each of them", 15, killed, true},
}

// A result is what a part has found. Its fields are those of the JSON.
type result struct {
	Part    string   `json:"part"`
	What    string   `json:"what"`
	Tried   int      `json:"tried"`
	Of      int      `json:"of"` // that there are; where chance makes them, as many as were tried
	Twice   int      `json:"twice"`
	Faults  []*fault `json:"faults"`
	Skipped string   `json:"skipped,omitempty"`
	Notes   []string `json:"notes,omitempty"`
	Seconds float64  `json:"seconds"`

	mu sync.Mutex
}

// A fault is one thing that is wrong, wherever an act was interrupted.
type fault struct {
	What  string `json:"what"`
	Times int    `json:"times"`
	At    string `json:"at"` // the first time
}

func (r *result) add(what, at string, o outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Tried++
	r.Twice += o.twice
	for _, text := range o.faults {
		text = what + ": " + text
		i := slices.IndexFunc(r.Faults, func(f *fault) bool { return f.What == text })
		if i < 0 {
			i = len(r.Faults)
			r.Faults = append(r.Faults, &fault{What: text, At: at})
		}
		r.Faults[i].Times++
	}
}

func (r *result) fault(what, at, how string) { r.add(what, at, outcome{faults: []string{how}}) }

func (r *result) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

func main() {
	all := make([]string, len(parts))
	for i, p := range parts {
		all[i] = p.name
	}
	t := &torture{}
	length := flag.Duration("time", time.Hour, "how long it may take in all")
	only := flag.String("only", strings.Join(all, ","), "`parts` to run")
	matching := flag.String("act", "", "only acts that have this in their `name`")
	report := flag.String("json", "", "`file` for the results")
	flag.StringVar(&t.bin, "bin", "", "`directory` of the programs; else they are built")
	flag.IntVar(&t.most, "n", 0, "at most so many `tries` of each part")
	flag.BoolVar(&t.keep, "keep", false, "keep what has gone wrong")
	within := flag.String("inside", "", "is how the `part` in a kernel of its own is begun")
	in := flag.String("in", "", "and its `directory`")
	flag.Parse()
	if *within != "" {
		inside(*within, t.bin, *in, *length)
	}
	if code, done, err := setApart(); err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	} else if done {
		os.Exit(code)
	}
	code, err := t.begin(*length, strings.Split(*only, ","), *matching, *report)
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		code = 1
	}
	os.Exit(code)
}

func (t *torture) begin(length time.Duration, only []string, matching, report string) (code int, err error) {
	if t.work, err = os.MkdirTemp("", "superlist-torture-"); err != nil {
		return 1, err
	}
	if !t.keep {
		defer os.RemoveAll(t.work)
	}
	if err := os.Chmod(t.work, 0o755); err != nil {
		return 1, err
	}
	if t.bin == "" {
		t.bin = filepath.Join(t.work, "bin")
		build := exec.Command("go", "build", "-trimpath", "-o", t.bin+"/", "superlist/cmd/...")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("go build: %w: %s", err, out)
		}
	}
	if t.bin, err = filepath.Abs(t.bin); err != nil { // Postfix has another working directory
		return 1, err
	}
	for _, a := range acts {
		if strings.Contains(a.name, matching) {
			t.acts = append(t.acts, a)
		}
	}
	results, err := t.run(length, only)
	if err != nil {
		return 1, err
	}
	table(results)
	if report != "" {
		text, err := json.MarshalIndent(newReport(results, length), "", "\t")
		if err == nil {
			err = os.WriteFile(report, append(text, '\n'), 0o644)
		}
		if err != nil {
			return 1, err
		}
	}
	for _, r := range results {
		if len(r.Faults) > 0 {
			code = 1
		}
	}
	return code, nil
}

// run gives each part its share of the time. What one does not need the next ones have.
func (t *torture) run(length time.Duration, only []string) (results []*result, err error) {
	var chosen []part
	shares := 0
	for _, p := range parts {
		if slices.Contains(only, p.name) {
			chosen, shares = append(chosen, p), shares+p.share
		}
	}
	if len(chosen) != len(only) {
		return nil, fmt.Errorf("there is no such part among %q", only)
	}
	end := time.Now().Add(length)
	for _, p := range chosen {
		if p.acts {
			if _, err := t.scenes(); err != nil {
				return nil, err
			}
		}
		begin := time.Now()
		fmt.Fprintf(os.Stderr, "%s: %s; for %v\n", p.name, p.what, (time.Until(end) * time.Duration(p.share) / time.Duration(shares)).Round(time.Second))
		r := &result{Part: p.name, What: p.what, Faults: []*fault{}}
		until := begin.Add(time.Until(end) * time.Duration(p.share) / time.Duration(shares))
		shares -= p.share
		if err := p.run(t, r, until); err != nil {
			r.fault(p.name, "", err.Error())
		}
		if r.Tried == 0 && r.Skipped == "" {
			r.fault(p.name, "", "nothing was tried")
		}
		r.Of = max(r.Of, r.Tried)
		r.Seconds = time.Since(begin).Round(time.Second / 10).Seconds()
		t.progress("")
		results = append(results, r)
	}
	return results, nil
}

// dir is a new name below the working directory, as long as all others.
func (t *torture) dir() string {
	return filepath.Join(t.work, fmt.Sprintf("p%07d", t.n.Add(1)))
}

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one line of `go test -json`; see `go doc test2json` and, for the
// build's events, `go help buildjson`.
type event struct {
	Action      string
	Package     string
	Test        string
	Elapsed     float64
	Output      string
	ImportPath  string // of a build event
	FailedBuild string // the ImportPath that kept a package from running
}

type test struct {
	name   string
	result string // pass, fail, skip, or "" while it runs
	output []string
}

type pkg struct {
	tests  map[string]*test
	order  []*test
	output []string // what no test said
}

type report struct {
	w        io.Writer
	progress func(string)

	running map[string]*pkg
	builds  map[string][]string // compiler output by ImportPath
	blamed  map[string]bool     // builds whose output has been shown
	skips   []string

	passed, failed, skipped int
	packages                int
}

func newReport(w io.Writer) *report {
	return &report{
		w:        w,
		progress: func(string) {},
		running:  make(map[string]*pkg),
		builds:   make(map[string][]string),
		blamed:   make(map[string]bool),
	}
}

func (r *report) read(in io.Reader) {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if err != nil {
			return
		}
	}
}

// line takes one event. What is not an event (the go command speaks plainly when
// it cannot even begin) is passed on.
func (r *report) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
		if strings.HasPrefix(line, "FAIL") {
			r.failed++
		}
		r.print(line)
		return
	}
	switch e.Action {
	case "build-output":
		r.builds[e.ImportPath] = append(r.builds[e.ImportPath], e.Output)
		return
	case "build-fail":
		return // the package that needed it fails too, and says so
	}
	p := r.pkg(e.Package)
	switch {
	case e.Action == "output" && e.Test == "":
		p.output = append(p.output, e.Output)
	case e.Action == "output":
		t := p.test(e.Test)
		t.output = append(t.output, e.Output)
	case e.Action == "run":
		delete(p.tests, e.Test) // with -count it may run again
		p.test(e.Test)
		r.progress(fmt.Sprintf("%d passed, %d failed  %s %s", r.passed, r.failed, e.Package, e.Test))
	case e.Action != "pass" && e.Action != "fail" && e.Action != "skip":
	case e.Test != "":
		p.test(e.Test).result = e.Action
	default:
		r.finish(p, e)
	}
}

func (r *report) pkg(name string) *pkg {
	p := r.running[name]
	if p == nil {
		p = &pkg{tests: make(map[string]*test)}
		r.running[name] = p
	}
	return p
}

func (p *pkg) test(name string) *test {
	t := p.tests[name]
	if t == nil {
		t = &test{name: name}
		p.tests[name] = t
		p.order = append(p.order, t)
	}
	return t
}

// finish counts and prints one package.
func (r *report) finish(p *pkg, e event) {
	delete(r.running, e.Package)
	r.packages++
	failed := 0
	for _, t := range p.order {
		if t.result == "" {
			// A panic, os.Exit or the time limit ended it with the binary.
			t.result = "fail"
			why := "    (it did not finish)\n"
			if t.waited() {
				why = "    (its turn did not come)\n"
			}
			t.output = append([]string{why}, t.output...)
		}
	}
	for _, t := range p.order {
		if !p.counts(t) {
			if t.result == "fail" {
				r.print(t.said())
			}
			continue
		}
		switch t.result {
		case "pass":
			r.passed++
		case "skip":
			r.skipped++
			r.skips = append(r.skips, fmt.Sprintf("%s %s: %s", e.Package, t.name, t.reason()))
		case "fail":
			failed++
			r.print(fmt.Sprintf("--- FAIL: %s %s", e.Package, t.name))
			r.print(t.said())
		}
	}
	if e.Action == "fail" {
		r.packageFailed(p, e, failed)
		failed = max(failed, 1)
	}
	r.failed += failed
	r.print(p.summary(e))
}

// counts tells whether a test stands for itself: one that only has subtests
// would count them twice, unless it failed or was skipped on its own.
func (p *pkg) counts(t *test) bool {
	for _, sub := range p.order {
		if strings.HasPrefix(sub.name, t.name+"/") && (t.result == "pass" || sub.result == t.result) {
			return false
		}
	}
	return true
}

// packageFailed prints what went wrong outside the tests: the compiler, TestMain,
// a panic in a goroutine, a data race noticed late.
func (r *report) packageFailed(p *pkg, e event, failedTests int) {
	if e.FailedBuild != "" && !r.blamed[e.FailedBuild] {
		r.blamed[e.FailedBuild] = true
		r.print(strings.Join(r.builds[e.FailedBuild], ""))
	}
	said := own(p.output)
	if failedTests == 0 && e.FailedBuild == "" {
		r.print("--- FAIL: " + e.Package + " (outside its tests)")
		if said == "" {
			for _, t := range p.order {
				said += t.said()
			}
		}
	}
	r.print(said)
}

func (p *pkg) summary(e event) string {
	all := strings.Join(p.output, "")
	verdict, note := "ok  ", fmt.Sprintf("%.2fs", e.Elapsed)
	switch {
	case e.FailedBuild != "" || strings.Contains(all, "[build failed]") || strings.Contains(all, "[setup failed]"):
		verdict, note = "FAIL", "does not build"
	case e.Action == "fail":
		verdict = "FAIL"
	case e.Action == "skip" || strings.Contains(all, "[no test files]"):
		verdict, note = "-   ", "no tests"
	case strings.Contains(all, "(cached)"):
		note = "cached"
	}
	return fmt.Sprintf("%s  %-40s %8s", verdict, e.Package, note)
}

// close prints the end of the report and tells whether all is well.
func (r *report) close(strict bool) bool {
	r.progress("")
	var cut []string
	for name := range r.running {
		cut = append(cut, name)
	}
	slices.Sort(cut)
	for _, name := range cut {
		r.pkg(name).output = append(r.pkg(name).output, "the events end before the package does\n")
		r.finish(r.running[name], event{Action: "fail", Package: name})
	}
	if r.packages == 0 {
		r.print("no package reported anything")
		r.failed++
	}
	if strict && r.skipped > 0 {
		r.print("as root, and with CI=true, a skipped test is a failure")
	}
	for _, s := range r.skips {
		r.print("skipped: " + s)
	}
	fmt.Fprintf(r.w, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	return r.failed == 0 && !(strict && r.skipped > 0)
}

func (r *report) print(s string) {
	if s = strings.TrimRight(s, "\n"); s != "" {
		r.progress("")
		fmt.Fprintln(r.w, s)
	}
}

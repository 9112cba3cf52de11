package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"superlist/e2e/figures"
)

// counted is how many sessions of each contender are counted: what is shown is
// the one in the middle.
const counted = 15

// A count is what one process used, by the names in countRows.
type count map[string]int64

// countRows are what is counted, and the most of it that a session may have. A
// change that makes sessions dearer is seen here, on any machine. The limits are
// what was measured, and a twentieth for what the scheduler does.
var countRows = []countRow{
	{name: calls, limit: 280},
	{name: schedulerCalls},
	{name: faults, limit: 255, goal: 1.35},
	{name: threads, limit: 5},
	{name: waits},
	{name: bytesIn},
	{name: bytesOut},
}

type countRow struct {
	name  string
	limit float64 // 0: for information
	goal  float64 // what we want, of the floor
}

const (
	calls          = "system calls"
	schedulerCalls = "… and those of the Go scheduler"
	faults         = "page faults"
	threads        = "threads"
	waits          = "waits (voluntary context switches)"
	bytesIn        = "bytes read"
	bytesOut       = "bytes written"
)

// counts shows what a session uses of what does not depend on how fast the
// machine is.
func (b *bench) counts() error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		b.skip("counts", "there is no strace here")
		return nil
	}
	dialogue, err := b.dialogue()
	if err != nil {
		return err
	}
	cs, err := b.countable("counts", dialogue)
	if err != nil {
		return err
	}
	if exim, err := b.exim(); err != nil {
		b.skip("counts of exim4 -bs", err)
	} else {
		debian, _, err := exim.contenders("none", dialogue)
		if err != nil {
			return err
		}
		cs = append(cs, debian)
	}
	var all []count
	for _, c := range cs {
		n, err := b.count(strace, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		all = append(all, n)
	}
	fmt.Printf("\nWhat one session uses: one small message, durable, accepted; the middle of %d\n  %-36s", counted, "")
	for _, c := range cs {
		fmt.Printf(" %15s", c.name)
	}
	fmt.Println()
	for _, row := range countRows {
		fmt.Printf("  %-36s", row.name)
		for _, n := range all {
			fmt.Printf(" %15d", n[row.name])
		}
		fmt.Println(b.counted(row, cs, all))
	}
	return nil
}

// countable is superlist-spawn, and the floor, with a site of their own.
func (b *bench) countable(site, dialogue string) (cs []*contender, err error) {
	s, err := b.newSite(site, siteOptions{log: "none", more: trusting, members: sessionMembers, relay: "127.0.0.1:9"})
	if err != nil {
		return nil, err
	}
	ours := s.spawn("superlist-spawn", dialogue)
	floor, err := b.floor(s, dialogue)
	if err != nil {
		return nil, err
	}
	floor.name = "floor"
	return []*contender{ours, floor}, giveTo("nobody", s.dir, ours, floor)
}

// counted keeps what was counted of the first contender, superlist's, beside the others.
func (b *bench) counted(row countRow, cs []*contender, all []count) (line string) {
	ours := float64(all[0][row.name])
	for i, c := range cs[1:] {
		theirs := float64(all[i+1][row.name])
		if theirs <= 0 {
			continue
		}
		f := figures.Figure{What: row.name, Ours: ours, Peer: c.name, Theirs: theirs, Ratio: ours / theirs}
		if i == 0 {
			f.Want = row.goal
			line += fmt.Sprintf("  %.2f of the floor", f.Ratio)
		}
		if met := b.goal(f); f.Want > 0 {
			line += ", " + met
		}
	}
	if row.limit > 0 && ours > row.limit {
		b.failed = append(b.failed, "a session's "+row.name)
		line += fmt.Sprintf("  more than %.0f   FAIL", row.limit)
	}
	return line
}

// count runs a contender, with strace and without, and gives the middle of each.
func (b *bench) count(strace string, c *contender) (count, error) {
	var all []count
	for i := range counted {
		progress(fmt.Sprintf("%s %d/%d", c.name, i, counted))
		n, err := usage(b.bin+"/rss", c)
		if err == nil {
			err = n.trace(strace, c)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	progress("")
	mid := make(count)
	for _, row := range countRows {
		var ns []int64
		for _, n := range all {
			ns = append(ns, n[row.name])
		}
		slices.Sort(ns)
		mid[row.name] = ns[len(ns)/2]
	}
	return mid, nil
}

// usage is what the kernel says when the process has ended.
func usage(rss string, c *contender) (count, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	run := *c
	run.argv, run.report = append([]string{rss}, c.argv...), w
	_, _, err = run.once()
	w.Close()
	if err != nil {
		return nil, err
	}
	var kib, minor, major, switches int64
	if _, err := fmt.Fscan(r, &kib, &minor, &major, &switches); err != nil {
		return nil, err
	}
	return count{faults: minor + major, waits: switches}, nil
}

// trace adds what strace sees.
func (n count) trace(strace string, c *contender) error {
	out, err := os.CreateTemp(filepath.Dir(c.stdin), "trace-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	run := *c
	run.argv = []string{strace, "-f", "-qq", "-e", "signal=none", "-s", "0", "-o", out.Name()}
	if c.user != nil { // strace writes as root
		run.argv, run.user = append(run.argv, "-u", "nobody"), nil
	}
	run.argv = append(run.argv, c.argv...)
	if _, _, err := run.once(); err != nil {
		return err
	}
	n[threads] = 1
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		name, result, began := straceLine(lines.Text())
		switch {
		case !began:
		case slices.Contains(ofTheScheduler, name):
			n[schedulerCalls]++
		default:
			n[calls]++
		}
		switch name {
		case "clone", "clone3":
			if began && strings.Contains(lines.Text(), "CLONE_THREAD") {
				n[threads]++
			}
		case "read", "pread64", "readv", "recvfrom", "recvmsg":
			n[bytesIn] += max(result, 0)
		case "write", "pwrite64", "writev", "sendto", "sendmsg":
			n[bytesOut] += max(result, 0)
		}
	}
	return lines.Err()
}

// ofTheScheduler are calls whose number is up to the moment.
var ofTheScheduler = []string{"futex", "nanosleep", "sched_yield", "epoll_pwait", "tgkill", "getpid", "rt_sigreturn", "madvise"}

// straceLine takes a line of strace -f apart: the call, what it returned (-1:
// nothing yet), and whether it begins here and not at a line before.
func straceLine(line string) (name string, result int64, began bool) {
	_, line, _ = strings.Cut(line, " ")
	line = strings.TrimLeft(line, " ")
	if rest, ok := strings.CutPrefix(line, "<... "); ok {
		name, _, _ = strings.Cut(rest, " ")
	} else {
		name, _, began = strings.Cut(line, "(")
	}
	result = -1
	if i := strings.LastIndex(line, " = "); i >= 0 {
		text, _, _ := strings.Cut(line[i+len(" = "):], " ")
		if n, err := strconv.ParseInt(text, 0, 64); err == nil {
			result = n
		}
	}
	return name, result, began
}

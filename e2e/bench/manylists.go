package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/e2e/figures"
)

// A site of many lists: what an administrator asks of it must not take longer than they
// like to wait.
const (
	manyDomains  = 10
	listsOfEach  = 1000
	membersOfOne = 100

	maxStatus = 2 * time.Second
	maxWhere  = 2 * time.Second
	maxCheck  = 10 * time.Second
	// maxCensus is how much processor deliver may use to count the lists for the
	// metrics, once an hour: a thousandth of the hour.
	maxCensus = 3600 * time.Millisecond
	// maxMetrics is deliver's time with the metrics file by that without, between two
	// counts.
	maxMetrics = 1.25
)

// manyLists asks the everyday questions of 10,000 lists and a million members.
func (b *bench) manyLists() error {
	fmt.Printf("\nA site of %d lists and %d members\n", manyDomains*listsOfEach, manyDomains*listsOfEach*membersOfOne)
	s, err := b.newSite("manylists", siteOptions{log: "none", members: membersOfOne, relay: "127.0.0.1:9"})
	if err != nil {
		return err
	}
	if err := s.fill(); err != nil {
		return err
	}
	person := memberOf(4711)
	ask := func(codes string, words ...string) *contender {
		argv := []string{"sh", "-c", `"$0" "$@"; code=$?; for good in ` + codes + `; do test $code = $good && exit 0; done; exit $code`, b.bin + "/superlist", "-c", s.config}
		return &contender{name: "superlist " + strings.Join(words[:min(len(words), 2)], " "), argv: append(argv, words...), env: []string{"GOMAXPROCS="}, prepare: forgetFiles}
	}
	status, check := ask("0 69", "status"), ask("0 78", "check", "--quiet")
	where := ask("0", "member", "where", person)
	where.check = func(out string) error {
		if !strings.Contains(out, person) {
			return fmt.Errorf("%s is not found:\n%s", person, out)
		}
		return nil
	}
	all := []*contender{status, where, check}
	if err := race(2, all...); err != nil {
		return err
	}
	table(all...)
	for _, row := range []struct {
		c    *contender
		want time.Duration
	}{{status, maxStatus}, {where, maxWhere}, {check, maxCheck}} {
		b.limit(row.c.name+", cold", median(row.c.took), row.want)
	}
	return b.metrics(s)
}

// limit prints a time beside what is wanted of it.
func (b *bench) limit(row string, got, want time.Duration) {
	fmt.Printf("  %-58s %6.2f s  %s\n", row, got.Seconds(), b.note(figures.Figure{What: row, Unit: "s", Ours: got.Seconds(), Want: want.Seconds()}))
}

// memberOf is a member of some lists.
func memberOf(i int) string { return fmt.Sprintf("user%08d@members.example", i) }

// fill makes the lists: copies of the site's one, with members of their own.
func (s *site) fill() error {
	one := filepath.Join(s.dir, "lists", "lists.example.org", "dev")
	toml, err := os.ReadFile(one + "/list.toml")
	if err != nil {
		return err
	}
	key, err := os.ReadFile(one + "/key")
	if err != nil {
		return err
	}
	for d := range manyDomains {
		for n := range listsOfEach {
			progress(fmt.Sprintf("list %d", d*listsOfEach+n))
			dir := filepath.Join(s.dir, "lists", fmt.Sprintf("d%d.example.org", d), fmt.Sprintf("list%04d", n))
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return err
			}
			var members bytes.Buffer
			for k := range membersOfOne { // everybody is on ten lists
				members.WriteString(memberOf((n*membersOfOne+k)*(d+1)%(manyDomains*listsOfEach*10)) + "\n")
			}
			lines := strings.SplitAfter(members.String(), "\n")
			slices.Sort(lines)
			for name, text := range map[string]string{"list.toml": string(toml), "key": string(key), "members": strings.Join(slices.Compact(lines), "")} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					return err
				}
			}
		}
	}
	progress("")
	unix.Sync()
	return nil
}

// forgetFiles empties the kernel's caches, so that the next process reads the disk.
func forgetFiles() error {
	unix.Sync()
	err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3\n"), 0)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
		return nil // a container: the figures are of a warm cache
	}
	return err
}

// metrics compares deliver with a metrics file and without, with nothing to deliver.
func (b *bench) metrics(s *site) error {
	text, err := os.ReadFile(s.config)
	if err != nil {
		return err
	}
	config := filepath.Join(s.dir, "metrics.toml")
	setting := fmt.Sprintf("metrics = %q\n", s.dir+"/superlist.prom")
	if err := os.WriteFile(config, append([]byte(setting), text...), 0o644); err != nil {
		return err
	}
	first := exec.Command(b.bin+"/superlist", "-c", config, "deliver")
	if out, err := first.CombinedOutput(); err != nil {
		return fmt.Errorf("superlist deliver: %w: %s", err, out)
	}
	b.limit("deliver counts for the metrics, hourly, processor", first.ProcessState.UserTime()+first.ProcessState.SystemTime(), maxCensus)
	with := &contender{name: "deliver, metrics", argv: []string{b.bin + "/superlist", "-c", config, "deliver"}}
	without := &contender{name: "deliver, no metrics", argv: []string{b.bin + "/superlist", "-c", s.config, "deliver"}}
	if err := race(20, with, without); err != nil {
		return err
	}
	table(with, without)
	f, line := paired("deliver with a metrics file", with, without)
	fmt.Println(line, "", b.note(want(f, maxMetrics)))
	return nil
}

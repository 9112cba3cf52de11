package web

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/queue/disk"
)

// TestTakenDurably: what was taken away is gone from the disk before the state says so,
// which nobody looks at again: a power cut must not bring a removed post back to the web.
func TestTakenDurably(t *testing.T) {
	for name, take := range map[string]func(l *List) error{
		"removed": func(l *List) error { _, err := l.Posts.Remove([]int{2}, "", began.Add(time.Hour*24*100)); return err },
		"pruned":  func(l *List) error { _, err := l.Posts.Prune(2); return err },
		"private": func(l *List) error { l.Public = false; return nil },
	} {
		l := newList(t)
		add(t, l, conversation()...)
		update(t, l)
		if err := take(l); err != nil {
			t.Fatal(err)
		}
		var calls []string
		l.Disk = &disk.Disk{Fault: func(call, path string) error {
			if call == "syncfs" || filepath.Base(path) == "state" {
				calls = append(calls, call)
			} else if page := strings.HasPrefix(path, l.Dir); page {
				calls = append(calls, "page")
			}
			return nil
		}}
		if _, err := l.Update(Step); err != nil {
			t.Fatal(err)
		}
		synced, state := slices.Index(calls, "syncfs"), slices.IndexFunc(calls, func(c string) bool { return c == "rename" || c == "rmdir" })
		if synced < 0 || state < synced || slices.Contains(calls[synced:], "page") {
			t.Errorf("%s: %q", name, calls)
		}
	}
}

// TestRobotsWhole: half a robots.txt would pass for the administrator's.
func TestRobotsWhole(t *testing.T) {
	l := newList(t)
	add(t, l, conversation()...)
	var calls []string
	l.Disk = &disk.Disk{Fault: func(call, path string) error {
		if strings.Contains(path, "robots.txt") {
			calls = append(calls, call)
		}
		return nil
	}}
	if _, err := l.Update(Step); err != nil {
		t.Fatal(err)
	}
	if synced := slices.Index(calls, "fsync"); synced < 0 || slices.Index(calls, "rename") < synced {
		t.Errorf("%q", calls)
	}
}

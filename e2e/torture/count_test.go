package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// put puts mail into a Maildir, as of some time.
func put(t *testing.T, dir, text string, at time.Time) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "new", "*"))
	file := filepath.Join(dir, "new", fmt.Sprint(len(files)))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

func loadText(n int) string {
	return fmt.Sprintf("From: %s\nSubject: load %d\n\nthe end of %[2]d\n", poster, n)
}

func whats(r *result) string {
	all := ""
	for _, f := range r.Faults {
		all += f.What + "\n"
	}
	return all
}

// TestCount: each thing that must not become of a post is found.
func TestCount(t *testing.T) {
	for _, test := range []struct {
		fate  int
		mails []string
		want  string
	}{
		{promised, []string{loadText(0)}, ""},
		{promised, []string{loadText(0), loadText(0)}, ""},
		{promised, nil, "lacks a post that got 250"},
		{promised, []string{loadText(0), loadText(0), loadText(0)}, "more than twice"},
		{unsent, []string{loadText(0)}, "was not sent to its end"},
		{unknown, []string{loadText(0)}, ""},
		{unknown, nil, ""},
		{promised, []string{loadText(0), "Subject: forged\n\nx\n"}, "has other mail"},
		{promised, []string{loadText(0)[:40]}, "half a post"},
	} {
		dir := t.TempDir()
		for _, m := range members {
			put(t, filepath.Join(dir, m), loadText(1), time.Now())
			for _, text := range test.mails {
				put(t, filepath.Join(dir, m), text, time.Now())
			}
		}
		fates := make([]atomic.Int32, 2)
		fates[0].Store(int32(test.fate))
		fates[1].Store(promised)
		r := &result{Part: "x"}
		err := count(r, fates, func() string { return "" }, func(m string) string { return filepath.Join(dir, m) })
		if err != nil || (test.want == "") != (len(r.Faults) == 0) || !strings.Contains(whats(r), test.want) {
			t.Errorf("%d, %q: %v, %q", test.fate, test.mails, err, whats(r))
		}
	}
}

// TestCame: so is each thing that must not become of a digest.
func TestCame(t *testing.T) {
	posted := time.Date(2027, 3, 27, 12, 0, 0, 0, time.UTC)
	midnight := posted.Add(12 * time.Hour)
	for _, test := range []struct {
		at   []time.Duration // of digests, from midnight
		want string
	}{
		{[]time.Duration{time.Minute}, ""},
		{[]time.Duration{-time.Minute}, "a digest is early"},
		{[]time.Duration{2 * time.Hour}, "a digest is late"},
		{[]time.Duration{time.Minute, 2 * time.Minute}, "a digest has a post 2 times"},
		{nil, "a digest has a post 0 times"},
	} {
		w := &town{place: &place{dir: t.TempDir()}, r: &result{Part: "x"}, zone: time.UTC, posted: []time.Time{posted}, list: []string{daily}}
		for _, dir := range []string{"lists", "www"} {
			if err := os.MkdirAll(filepath.Join(w.dir, dir, "archive"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range map[string]string{"lists/archive/1": loadText(0), "www/1.html": "load 0"} {
			if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range []string{poster, "bob@example.com"} {
			put(t, filepath.Join(w.dir, "out", m), loadText(0), posted)
		}
		for _, at := range test.at {
			put(t, filepath.Join(w.dir, "out", digester), "Subject: digest\n\n"+loadText(0), midnight.Add(at))
		}
		err := w.came(midnight.Add(day), func(int) (from, to time.Time) { return midnight, midnight.Add(time.Hour) })
		if err != nil || (test.want == "") != (len(w.r.Faults) == 0) || !strings.Contains(whats(w.r), test.want) {
			t.Errorf("%v: %v, %q", test.at, err, whats(w.r))
		}
	}
}

// TestJudge: nor does anything end early, late, or twice.
func TestJudge(t *testing.T) {
	held := time.Date(2027, 3, 25, 12, 0, 0, 0, time.UTC)
	line := "2027 superlist[1]: expired id=1 message-id=<held.0@example.net>"
	for _, test := range []struct {
		after []time.Duration
		want  string
	}{
		{[]time.Duration{heldLife + time.Hour}, ""},
		{[]time.Duration{heldLife - time.Hour}, "a held post expires: it is early"},
		{[]time.Duration{heldLife + 3*day}, "a held post expires: it is late"},
		{nil, "a held post expires: it is late"},
		{[]time.Duration{heldLife, heldLife + time.Hour}, "a held post expires: it happened 2 times"},
	} {
		v := &visitors{town: &town{place: &place{dir: t.TempDir()}, r: &result{}, zone: time.UTC}, held: []time.Time{held}}
		for _, after := range test.after {
			v.log = append(v.log, logged{held.Add(after), line})
		}
		v.judge(held.Add(12*day), false)
		found := ""
		for text := range strings.Lines(whats(v.r)) {
			if strings.HasPrefix(text, "a held post") {
				found += text
			}
		}
		if strings.TrimSpace(found) != test.want {
			t.Errorf("%v: %q", test.after, found)
		}
	}
}

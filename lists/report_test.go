package lists

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"superlist/smtp"
)

func TestKeepReport(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	now := time.Now()
	dir := filepath.Join(l.Dir, "bounces")
	for range 2 { // twice is once
		if err := l.KeepReport("r1", addr("a@example.com"), strings.NewReader("Subject: no\r\n\r\ngone\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := os.ReadFile(filepath.Join(dir, "r1"))
	if string(got) != "X-Superlist-Member: <a@example.com>\r\nSubject: no\r\n\r\ngone\r\n" {
		t.Errorf("%q", got)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("%v", info.Mode())
	}
	onlyThere(t, dir, "r1")

	// What is too old goes, and what is not stays.
	old := now.Add(-reportAge - time.Second)
	os.WriteFile(filepath.Join(dir, ".tmp-dead"), nil, 0o600)
	os.Chtimes(filepath.Join(dir, ".tmp-dead"), old, old)
	os.Chtimes(filepath.Join(dir, "r1"), old, old)
	os.WriteFile(filepath.Join(dir, "r0"), nil, 0o600)
	young := now.Add(-reportAge + time.Minute)
	os.Chtimes(filepath.Join(dir, "r0"), young, young)
	if room := l.SweepReports(now); room != MaxReports-1 {
		t.Errorf("room for %d", room)
	}
	if err := l.KeepReport("r2", smtp.Path{}, strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	onlyThere(t, dir, "r0", "r2")
	if got, _ := os.ReadFile(filepath.Join(dir, "r2")); string(got) != "X-Superlist-Member: <>\r\n" {
		t.Errorf("%q", got)
	}
}

// A report is kept up to a point, and not at all where it cannot be read.
func TestKeepReportCap(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	endless := io.LimitReader(iotest.DataErrReader(neverEnding('x')), 10*maxReport)
	if err := l.KeepReport("big", addr("a@example.com"), endless); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(l.Dir, "bounces", "big"))
	if err != nil || info.Size() != maxReport+int64(len("X-Superlist-Member: <a@example.com>\r\n")) {
		t.Errorf("%v, %v", info, err)
	}
	if err := l.KeepReport("bad", addr("a@example.com"), iotest.ErrReader(io.ErrUnexpectedEOF)); err == nil {
		t.Error("half a report is kept")
	}
	onlyThere(t, filepath.Join(l.Dir, "bounces"), "big")
}

type neverEnding byte

func (b neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

// A list keeps so many reports and no more.
func TestMaxReports(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	dir := filepath.Join(l.Dir, "bounces")
	os.Mkdir(dir, 0o700)
	for i := range MaxReports {
		if i == MaxReports-1 {
			if room := l.SweepReports(time.Now()); room != 1 {
				t.Errorf("room for %d before the last", room)
			}
		}
		os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600)
	}
	if room := l.SweepReports(time.Now()); room != 0 {
		t.Errorf("room for %d after the last", room)
	}
}

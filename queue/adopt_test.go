package queue

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// a goneSpool is the spool of a host that is gone, with five messages, one of them half
// delivered, a reminder, a mark in taken, and something that nobody has acknowledged.
func goneSpool(t testing.TB, dir string) *Spool {
	t.Helper()
	s := &Spool{Dir: filepath.Join(dir, "gone"), Host: "mx1", Disk: disktest.Lazy()}
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	put := func(id string, box Box) {
		w, err := s.Create(Head{ID: id, From: path(t, "a@example.com")})
		if err != nil {
			t.Fatal(err)
		}
		w.Rcpt(smtp.Rcpt{Path: path(t, "dev@lists.example.org")})
		w.Rcpt(smtp.Rcpt{Path: path(t, "ops@lists.example.org")})
		io.WriteString(w, content)
		if err := w.Commit(box); err != nil {
			t.Fatal(err)
		}
	}
	put("1.M1", Inbound)
	put("1.M2", Inbound)
	put("1.M3.0", Outbound)
	put("1.M4.0", Failed)
	put("1.M5", Inbound)
	for e, m := range claimAll(t, s, Inbound) {
		if e == "1.M2" {
			for r := range m.Recipients() {
				m.Mark(r, Done)
				break
			}
			m.Defer(time.Unix(2e9, 0))
		} else {
			m.Close()
		}
	}
	os.MkdirAll(s.path("reminders", "20261201T000000Z"), 0o700)
	os.WriteFile(s.path("reminders", "20261201T000000Z", "hash"), []byte("dev@lists.example.org\n"), 0o600)
	os.WriteFile(s.path("taken", "00ff"), []byte("1.M1\n"), 0o600)
	os.WriteFile(s.path("tmp", "1.M9"), []byte("half"), 0o600)
	return s
}

// claimAll claims what a box has, by id; whoever is not closed is let go at the end.
func claimAll(t testing.TB, s *Spool, b Box) map[string]*Message {
	t.Helper()
	all := make(map[string]*Message)
	entries, err := s.List(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if all[e.ID], err = s.Claim(b, e); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(all[e.ID].Close)
	}
	return all
}

// goneFiles are the files of goneSpool that are to be taken over.
var goneFiles = []string{
	"failed/1.M4.0", "inbound/cur/1.M1", "inbound/cur/1.M2", "inbound/cur/1.M5", "outbound/new/1.M3.0",
	"reminders/20261201T000000Z/hash", "taken/00ff",
}

// waitsFor is one that may not be sent before the others are there.
const waitsFor = "outbound/new/1.M3.0"

// adoptAll is what a host does with the spool of another one.
func adoptAll(s, gone *Spool) error {
	a, err := s.Adopt(gone)
	if err != nil {
		return err
	}
	var paths []string
	for _, path := range goneFiles {
		if _, err := os.Lstat(gone.path(path)); err == nil {
			paths = append(paths, path)
		}
	}
	for _, first := range []bool{true, false} {
		some := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return first != (path == waitsFor) })
		if first {
			if err := a.Hold(some); err != nil {
				return err
			}
		}
		left, err := a.Move(some, func(int) {})
		if err != nil {
			return err
		}
		for _, err := range left {
			return err
		}
	}
	return a.Finish()
}

// filesIn returns files of a spool, without the names of spools in adopting.
func filesIn(t testing.TB, s *Spool, dirs ...string) (files []string) {
	t.Helper()
	for _, dir := range dirs {
		filepath.WalkDir(s.path(dir), func(path string, e os.DirEntry, err error) error {
			if begun := strings.Contains(path, "/adopting/") && (strings.Contains(e.Name(), "from") || strings.Contains(e.Name(), "held")); err == nil && !e.IsDir() && !begun {
				rel, _ := filepath.Rel(s.Dir, path)
				files = append(files, rel)
			}
			return nil
		})
	}
	slices.Sort(files)
	return files
}

var placesOfFiles = []string{"inbound", "outbound", "failed", "reminders", "taken"}

// checkAdopted checks that each file is in the new spool, once and as it was, and nothing
// in the old one, which stays closed until it is reclaimed.
func checkAdopted(t *testing.T, s, gone *Spool) {
	t.Helper()
	if got := filesIn(t, s, append(placesOfFiles, "adopting")...); !slices.Equal(got, goneFiles) {
		t.Errorf("taken over: %q", got)
	}
	if got := filesIn(t, gone, append(placesOfFiles, "tmp")...); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
	if list, err := s.List(Outbound); len(list) != 1 || list[0].Due.After(time.Now()) || err != nil {
		t.Errorf("to be sent: %v, %v", list, err)
	}
	m := claimAll(t, s, Inbound)["1.M2"]
	if info, err := os.Stat(s.path("inbound/cur/1.M2")); err != nil || !info.ModTime().Equal(time.Unix(2e9, 0)) || states(t, m) != "DT" {
		t.Errorf("half delivered: %s, %v", states(t, m), err)
	}
	if err := gone.Init(); !errors.Is(err, replyAdopted) {
		t.Errorf("the old host opens it: %v", err)
	}
	if by, was, err := gone.Reclaim(); err != nil || !was || by.Host != "mx2" {
		t.Errorf("reclaimed: %+v, %t, %v", by, was, err)
	}
	if err := commitOne(gone); err != nil {
		t.Errorf("when it is open again: %v", err)
	}
}

func adoptPlace(t testing.TB, dir string) (s, gone *Spool) {
	t.Helper()
	s = &Spool{Dir: filepath.Join(dir, "spool"), Host: "mx2", Disk: disktest.Lazy()}
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	return s, goneSpool(t, dir)
}

// TestAdopt: what another host has left is taken over, once.
func TestAdopt(t *testing.T) {
	s, gone := adoptPlace(t, t.TempDir())
	if _, was, err := gone.Reclaim(); was || err != nil {
		t.Errorf("reclaimed before: %v", err)
	}
	if err := adoptAll(s, gone); err != nil {
		t.Fatal(err)
	}
	if dirs, err := s.Unfinished(); len(dirs) > 0 || err != nil {
		t.Errorf("still adopting %q, %v", dirs, err)
	}
	if err := adoptAll(s, gone); err != nil {
		t.Errorf("once more: %v", err)
	}
	checkAdopted(t, s, gone)
}

// TestAdoptRefuses: what is in use, or another host's, or there already, stays.
func TestAdoptRefuses(t *testing.T) {
	s, gone := adoptPlace(t, t.TempDir())
	if err := s.CanAdopt(s); !errors.Is(err, ErrOwn) {
		t.Errorf("its own: %v", err)
	}
	if err := s.CanAdopt(&Spool{Dir: t.TempDir()}); !errors.Is(err, ErrNoSpool) {
		t.Errorf("a directory: %v", err)
	}
	end, err := gone.Begin(Began, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := adoptAll(s, gone); !errors.Is(err, ErrInUse) {
		t.Errorf("in use: %v", err)
	}
	end()

	a, err := s.Adopt(gone)
	if err != nil {
		t.Fatal(err)
	}
	if dirs, err := s.Unfinished(); !slices.Equal(dirs, []string{gone.Dir}) || err != nil {
		t.Errorf("adopting %q, %v", dirs, err)
	}
	busy := claimAll(t, gone, Outbound)["1.M3.0"]
	os.WriteFile(s.path("inbound/new/1.M1"), nil, 0o600)
	left, err := a.Move([]string{"outbound/cur/1.M3.0", "inbound/cur/1.M1", "inbound/cur/" + strings.Repeat("x", 250)}, func(int) {})
	if err != nil || !errors.Is(left["outbound/cur/1.M3.0"], ErrBusy) || !errors.Is(left["inbound/cur/1.M1"], ErrThere) || len(left) != 3 {
		t.Errorf("left %v, %v", left, err)
	}
	busy.Close()
	third := &Spool{Dir: filepath.Join(t.TempDir(), "spool"), Host: "mx3", Disk: disktest.Lazy()}
	if err := third.Init(); err != nil {
		t.Fatal(err)
	}
	if _, err := third.Adopt(gone); !errors.Is(err, ErrTaken) {
		t.Errorf("by a third host: %v", err)
	}
	if _, err := gone.Begin(Began, time.Now()); !errors.Is(err, replyAdopted) {
		t.Errorf("its deliver, which was past Init: %v", err)
	}
}

// TestAdoptMeanwhile: a name that is taken while a message is on its way costs nobody a
// message.
func TestAdoptMeanwhile(t *testing.T) {
	s, gone := adoptPlace(t, t.TempDir())
	a, err := s.Adopt(gone)
	if err != nil {
		t.Fatal(err)
	}
	s.Disk = &disk.Disk{Fault: func(call, path string) error {
		if call == "syncfs" {
			os.WriteFile(s.path("inbound/cur/1.M1"), []byte("other"), 0o600)
			os.WriteFile(s.path("taken/00ff"), []byte("other"), 0o600)
		}
		return nil
	}}
	if left, err := a.Move([]string{"inbound/cur/1.M1", "taken/00ff"}, func(int) {}); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if got := filesIn(t, s, append(placesOfFiles, "adopting/"+a.key)...); !slices.Equal(got, []string{"failed/1.M1.damaged", "inbound/cur/1.M1", "taken/00ff"}) {
		t.Errorf("%q", got)
	}
}

// TestFaultAdopt fails every system call of an adoption in turn: whoever calls it again
// has everything once.
func TestFaultAdopt(t *testing.T) {
	disktest.Each(t, 40, func(f *disktest.Fault) {
		s, gone := adoptPlace(t, t.TempDir())
		s.Disk, gone.Disk = f.Disk(), f.Disk()
		err := adoptAll(s, gone)
		f.Off()
		if f.Hit() != errors.Is(err, f.Err) {
			t.Errorf("%s, and nobody noticed: %v", f, err)
		}
		checkUnderWay(t, f.String(), s, gone)
		if err := adoptAll(s, gone); err != nil {
			t.Errorf("%s: again: %v", f, err)
		}
		checkAdopted(t, s, gone)
	})
}

// checkUnderWay checks that no file can be worked on in two places, or in none while it is
// not on its way.
func checkUnderWay(t *testing.T, when string, s, gone *Spool) {
	t.Helper()
	here, there, under := filesIn(t, s, placesOfFiles...), filesIn(t, gone, placesOfFiles...), filesIn(t, gone, "adopted")
	if info, err := os.Stat(s.path(waitsFor)); err == nil && !slices.Contains(here, "inbound/cur/1.M5") && time.Until(info.ModTime()) < RetryMax-time.Hour {
		t.Errorf("%s: it may go too early: %v", when, info.ModTime())
	}
	for _, path := range goneFiles {
		way := slices.Contains(under, "adopted/"+inOneName(path))
		old := slices.Contains(there, path) || slices.Contains(there, strings.Replace(path, "cur", "new", 1))
		if now := slices.Contains(here, path); now && old || !now && !old && !way {
			t.Errorf("%s: %s: here %t, there %t, on its way %t", when, path, now, old, way)
		}
	}
}

// begun returns the files that say which spools are being adopted, and what is held back.
func begun(t *testing.T, s *Spool) (paths []string) {
	t.Helper()
	for _, name := range []string{"from", "held"} {
		files, err := filepath.Glob(s.path("adopting/*", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			paths = append(paths, strings.TrimPrefix(file, s.Dir+"/"))
		}
	}
	return paths
}

// TestKillAdopt kills an adoption at every system call. Half of the times the host that
// began it is gone then, too, and a third one takes both spools over.
func TestKillAdopt(t *testing.T) {
	disktest.Kill(t, 40, func(run func(string) disktest.Death) {
		s, gone := adoptPlace(t, t.TempDir())
		k := run("adopt " + filepath.Dir(s.Dir))
		checkUnderWay(t, k.String(), s, gone)
		if k.N%2 == 1 {
			third := &Spool{Dir: filepath.Join(t.TempDir(), "spool"), Host: "mx2", Disk: disktest.Lazy()}
			if err := third.Init(); err != nil {
				t.Fatal(err)
			}
			a, err := third.Adopt(s)
			if err != nil {
				t.Fatalf("%s: %v", k, err)
			}
			left, err := a.Move(append(filesIn(t, s, append(placesOfFiles, "adopting")...), begun(t, s)...), func(int) {})
			if err == nil && len(left) == 0 {
				err = a.Finish()
			}
			if err != nil || len(left) > 0 {
				t.Fatalf("%s: the second spool: %v, %v", k, left, err)
			}
			s = third
		}
		if err := adoptAll(s, gone); err != nil {
			t.Errorf("%s: again: %v", k, err)
		}
		checkAdopted(t, s, gone)
	})
}

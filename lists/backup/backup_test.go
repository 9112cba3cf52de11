package backup_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/backup"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/edit"
	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
	"superlist/lists/members"
	"superlist/lists/site"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func path(s string) smtp.Path {
	p, _ := smtp.ParseAddress(s)
	return p
}

// testSite is a site below a directory, with what its superlist.toml says.
func testSite(t testing.TB, root string) *site.Site {
	t.Helper()
	if err := os.MkdirAll(root, 0o700); err != nil {
		t.Fatal(err)
	}
	file := root + "/superlist.toml"
	text := fmt.Sprintf("hostname = \"lists.example.org\"\nuser = \"\"\nlists_dir = %q\nqueue_dir = %q\n", root+"/lists", root+"/spool")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := site.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger, s.Disk = files.On, clustertest.Strict(t, s.ListsDir, nil)
	return s
}

// fill gives a site lists, with another address, a post, and what they remember.
func fill(t testing.TB, s *site.Site, names ...string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		l, err := edit.Create(lists.Of(s), path(name+"@lists.example.org"), []smtp.Path{path("olga@example.org")}, []string{"aliases=old" + name + "@lists.example.net"})
		must(err)
		must(edit.Members(l, func(set members.Set) error {
			m, _ := members.Parse("alice@example.com nomail")
			set.Add(m)
			return nil
		}))
		_, err = l.Posts().Add(archive.Post{ID: "1." + name, Since: noon, Time: noon, Content: strings.NewReader("From: a@example.com\r\nMessage-ID: <1@x>\r\n\r\nHi.\r\n")})
		must(err)
		must(s.Writer().Remember(l.Book(), ledger.Requests, "name", noon, func(ledger.Record, bool) (string, error) { return "b@example.net\n", nil }))
	}
	must(s.Writer().Enter(ledger.OfSite(s.ListsDir), ledger.Acts, []string{"created list=<dev@lists.example.org> by=x"}, noon))
	must(os.WriteFile(s.ListsDir+"/"+edit.DefaultsFile, []byte("language = \"de\"\n"), 0o600))
	must(os.MkdirAll(s.ListsDir+"/lists.example.org/dev/tmp", 0o700))
	must(os.WriteFile(s.ListsDir+"/lists.example.org/dev/tmp/half", nil, 0o600))
	must(os.WriteFile(s.ListsDir+"/lists.example.org/dev/.members.new", nil, 0o600))
}

// look is what a directory has: each file with its content and time. What is being written
// it passes over.
func look(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		name := strings.TrimPrefix(strings.TrimPrefix(file, dir), "/")
		hidden := strings.HasPrefix(e.Name(), ".") && !slices.Contains([]string{".asked", ".tally", ".acts"}, e.Name())
		switch {
		case err != nil:
			t.Fatal(err)
		case file == dir:
		case e.IsDir() && (hidden || e.Name() == "tmp"):
			return fs.SkipDir
		case e.IsDir(), hidden:
		default:
			text, err := os.ReadFile(file)
			info, ierr := os.Stat(file)
			if err != nil || ierr != nil {
				t.Fatal(err, ierr)
			}
			at := info.ModTime().UTC().Format(time.RFC3339Nano)
			if strings.Contains(string(text), "@lists.example.") && len(text) < 100 { // an address leads there, whenever it was written
				at = ""
			}
			found[name] = string(text) + at
		}
		return nil
	})
	return found
}

// same wants two sites to have the same.
func same(t testing.TB, what string, got, want *site.Site) {
	t.Helper()
	here, there := look(t, got.ListsDir), look(t, want.ListsDir)
	for name, text := range there {
		if here[name] != text {
			t.Errorf("%s: %s is %q, want %q", what, name, here[name], text)
		}
	}
	for name := range here {
		if _, ok := there[name]; !ok {
			t.Errorf("%s: there is %s", what, name)
		}
	}
	if len(there) < 7 {
		t.Errorf("%s: only %d files", what, len(there))
	}
}

// TestRoundTrip: what was copied comes back, into an empty host; one list into any.
func TestRoundTrip(t *testing.T) {
	from := testSite(t, t.TempDir())
	fill(t, from, "dev", "ops")
	dir := t.TempDir() + "/one"
	m, err := backup.Write(from, dir, noon, nil)
	if err != nil || m.Lists != 2 || m.Files < 12 {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := backup.Write(from, dir, noon, nil); !errors.Is(err, backup.ErrThere) {
		t.Errorf("a second one: %v", err)
	}
	to := testSite(t, t.TempDir())
	r, err := backup.Restore(to, dir, nil, nil)
	if err != nil || !slices.Equal(r.Lists, []string{"dev@lists.example.org", "ops@lists.example.org"}) || backup.Unfinished(to) != "" {
		t.Errorf("%+v, %v", r, err)
	}
	same(t, "restored", to, from)
	if l, err := lists.Of(to).Open(path("olddev@lists.example.net")); err != nil || l.Addr.Local != "dev" {
		t.Errorf("its other address: %v", err)
	}
	if _, err := backup.Restore(to, dir, nil, nil); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("into a host with lists: %v", err)
	}
	l, _ := lists.Of(to).Open(path("ops@lists.example.org"))
	if err := edit.Remove(l); err != nil {
		t.Fatal(err)
	}
	r, err = backup.Restore(to, dir, []smtp.Path{path("Ops@lists.example.org"), path("dev@lists.example.org")}, nil)
	if err != nil || len(r.Lists) != 1 || len(r.There) != 1 {
		t.Errorf("one list: %+v, %v", r, err)
	}
	same(t, "one restored", to, from)
	if _, err := backup.Restore(to, dir, []smtp.Path{path("no@lists.example.org")}, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("one that is not in it: %v", err)
	}
}

// TestNames: whatever a directory is called, all lists of it come back; what is no list's
// name is none.
func TestNames(t *testing.T) {
	from := testSite(t, t.TempDir())
	fill(t, from, "dev")
	parent := t.TempDir() + "/[b]*"
	dir := parent + "/a*"
	if err := os.MkdirAll(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, begin := range []string{"/.a*.part-1", "/.abc.part-1"} { // left by one that was killed, and of another
		os.Mkdir(parent+begin, 0o700)
	}
	if m, err := backup.Write(from, dir, noon, nil); err != nil || m.Lists != 1 {
		t.Fatalf("%+v, %v", m, err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 2 || left[0].Name() != ".abc.part-1" {
		t.Errorf("%v, %v", left, err)
	}
	for _, name := range []string{"/lists/lists.example.org/.new-1", "/lists/.x/ops"} {
		os.MkdirAll(dir+name, 0o700)
		os.WriteFile(dir+name+"/list.toml", nil, 0o600)
	}
	to := testSite(t, t.TempDir())
	if r, err := backup.Restore(to, dir, nil, nil); err != nil || !slices.Equal(r.Lists, []string{"dev@lists.example.org"}) {
		t.Errorf("%+v, %v", r, err)
	}
	same(t, "restored", to, from)
}

// TestOddFiles: what is no file is named once, and what leads nowhere is left out.
func TestOddFiles(t *testing.T) {
	from := testSite(t, t.TempDir())
	fill(t, from, "dev")
	domain := from.ListsDir + "/lists.example.org"
	if err := errors.Join(os.Symlink("nowhere", domain+"/link"), unix.Mkfifo(domain+"/pipe", 0o600)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/odd"
	m, err := backup.Write(from, dir, noon, nil)
	if err != nil || m.Lists != 1 || len(m.Left) != 4 || m.Left[3] != domain+"/pipe: not a regular file" {
		t.Errorf("%+v, %v", m, err)
	}
	if left, err := os.ReadDir(dir + "/lists/lists.example.org"); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

// TestNoLinkOut: a symbolic link in a backup leads nowhere.
func TestNoLinkOut(t *testing.T) {
	_, good := source(t, "dev")
	for _, part := range []string{"lists/lists.example.org/dev", "lists/lists.example.org"} {
		dir := t.TempDir() + "/copy"
		if out, err := exec.Command("cp", "-a", good, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if err := errors.Join(os.Rename(dir+"/"+part, dir+"/elsewhere"), os.Symlink(dir+"/elsewhere", dir+"/"+part)); err != nil {
			t.Fatal(err)
		}
		to := testSite(t, t.TempDir())
		if _, err := backup.Restore(to, dir, nil, nil); !errors.Is(err, disk.ErrNotRegular) {
			t.Errorf("%s: %v", part, err)
		}
		if n := lists.Of(to).Count(); n != 0 {
			t.Errorf("%s: %d lists", part, n)
		}
	}
}

// TestMailDuringRestore: mail for a list that is not back yet is put off, and not refused.
func TestMailDuringRestore(t *testing.T) {
	_, dir := source(t, "dev", "ops")
	to := testSite(t, t.TempDir())
	asked := 0
	ask := func(done, of int) {
		for _, address := range []string{"ops@lists.example.org", "olddev@lists.example.net"} {
			d := lists.Of(to)
			ours, err := d.Serves(path(address).Domain)
			if err == nil && ours {
				_, err = d.Resolve(path(address))
			}
			if r := smtp.ReplyTo(err); err == nil || r.Permanent() {
				t.Errorf("%s, when %d of %d are back: %v", address, done, of, err)
			}
			asked++
		}
	}
	if _, err := backup.Restore(to, dir, nil, ask); err != nil || asked != 4 {
		t.Fatalf("asked %d times: %v", asked, err)
	}
	for address, want := range map[string]error{"ops@lists.example.org": nil, "olddev@lists.example.net": nil, "no@lists.example.org": lists.ReplyNoList} {
		if _, err := lists.Of(to).Resolve(path(address)); !errors.Is(err, want) {
			t.Errorf("%s afterwards: %v", address, err)
		}
	}
	if ours, err := lists.Of(to).Serves("elsewhere.example"); ours || err != nil {
		t.Errorf("a domain without lists: %t, %v", ours, err)
	}
}

// TestVersion: a backup of a later version, and what is none, are left alone.
func TestVersion(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{`{"version": 2}`: "later superlist", `{}`: "no version", `{`: "unexpected end"} {
		os.WriteFile(dir+"/superlist-backup", []byte(text), 0o600)
		to := testSite(t, t.TempDir())
		if _, err := backup.Restore(to, dir, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := os.Stat(to.ListsDir); err == nil {
			t.Errorf("%s: lists_dir was made", text)
		}
	}
	if _, err := backup.Open(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestWhileMailFlows: posts, members and names of lists that change during a backup leave
// each list in it whole, and none is missing.
func TestWhileMailFlows(t *testing.T) {
	from := testSite(t, t.TempDir())
	fill(t, from, "dev", "ops")
	stop, done := make(chan bool), make(chan error)
	go func() {
		var err error
		for i := 0; err == nil; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			var l *lists.List
			if l, err = lists.Of(from).Open(path("olddev@lists.example.net")); err != nil {
				break
			}
			_, err = l.Posts().Add(archive.Post{ID: fmt.Sprint("2.", i), Since: time.Now(), Time: time.Now(), Content: strings.NewReader(fmt.Sprintf("From: a@example.com\r\nMessage-ID: <m%d@x>\r\n\r\nHi.\r\n", i))})
			if err == nil {
				err = edit.Members(l, func(set members.Set) error {
					m, _ := members.Parse(fmt.Sprintf("m%d@example.com", i))
					set.Add(m)
					return nil
				})
			}
			if err == nil && i%3 == 0 {
				_, err = edit.Move(lists.Of(from), l, path(fmt.Sprintf("%c%d@lists.example.org", "az"[i%2], i)))
			}
		}
		done <- err
	}()
	root := t.TempDir()
	for i := range 5 {
		dir := fmt.Sprintf("%s/%d", root, i)
		m, err := backup.Write(from, dir, time.Now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if m.Lists != 2 {
			t.Errorf("backup %d has %d lists", i, m.Lists)
		}
		to := testSite(t, fmt.Sprintf("%s/site%d", root, i))
		if _, err := backup.Restore(to, dir, nil, nil); err != nil {
			t.Fatal(err)
		}
		err = lists.Of(to).All(func(addr smtp.Path, l *lists.List, err error) bool {
			if err != nil {
				t.Errorf("%s: %v", addr, err)
				return true
			}
			faults, err := l.Posts().Check(10)
			if err != nil || len(faults) > 0 {
				t.Errorf("%s: %v, %v", addr, faults, err)
			}
			m, err := l.Members()
			if err != nil {
				t.Errorf("%s: %v", addr, err)
				return true
			}
			defer m.Close()
			if wrong, inOrder, err := m.Lint(); len(wrong) > 0 || !inOrder || err != nil {
				t.Errorf("%s: %q, %t, %v", addr, wrong, inOrder, err)
			}
			return true
		})
		if err != nil {
			t.Error(err)
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Errorf("what went on meanwhile: %v", err)
	}
}

// A deed is what a process does that is killed.
type deed struct{ Restore, Root, Dir string }

func (d deed) do(t testing.TB, on *disk.Disk) error {
	s, err := site.Load(d.Root + "/superlist.toml")
	if err != nil {
		return err
	}
	s.Ledger, s.Disk = files.On, clustertest.Strict(nil, s.ListsDir, on)
	if d.Restore != "" {
		_, err = backup.Restore(s, d.Dir, nil, nil)
	} else {
		_, err = backup.Write(s, d.Dir, noon, nil)
	}
	return err
}

// TestMain is also the process that is killed.
func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	var what deed
	if err := json.Unmarshal([]byte(task), &what); err != nil {
		panic(err)
	}
	if err := what.do(nil, d); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Print("done")
}

// held holds a backup or a restore that failed, or was killed, against what may be: all of
// it, or nothing of it that anybody would take for one; and it can be done again.
func held(t *testing.T, what string, d deed, from *site.Site, said bool) {
	t.Helper()
	_, err := backup.Open(d.Dir)
	if d.Restore == "" {
		if there := err == nil; !there && (said || !errors.Is(err, fs.ErrNotExist)) {
			t.Errorf("%s: %v", what, err)
		} else if !there {
			if err := d.do(t, new(disk.Disk)); err != nil {
				t.Errorf("%s: again: %v", what, err)
				return
			}
		}
		if left, _ := filepath.Glob(filepath.Dir(d.Dir) + "/.*part*"); len(left) > 0 && !said && err != nil {
			t.Errorf("%s: %q is left", what, left)
		}
		to := testSite(t, t.TempDir())
		if _, err := backup.Restore(to, d.Dir, nil, nil); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		same(t, what, to, from)
		return
	}
	to := testSite(t, d.Root)
	lists.Of(to).All(func(addr smtp.Path, l *lists.List, err error) bool {
		if err != nil {
			t.Errorf("%s: a half list: %v", what, err)
		}
		return true
	})
	if said && backup.Unfinished(to) != "" {
		t.Errorf("%s: acknowledged, and unfinished", what)
	}
	if _, err := os.Stat(to.ListsDir + "/lists.example.org/dev"); !said && (err != nil || backup.Unfinished(to) != "") {
		if err := d.do(t, new(disk.Disk)); err != nil {
			t.Errorf("%s: again: %v", what, err)
		}
	}
	same(t, what, to, from)
}

func source(t *testing.T, names ...string) (*site.Site, string) {
	from := testSite(t, t.TempDir())
	fill(t, from, names...)
	dir := t.TempDir() + "/good"
	if _, err := backup.Write(from, dir, noon, nil); err != nil {
		t.Fatal(err)
	}
	return from, dir
}

// TestFault fails each call.
func TestFault(t *testing.T) {
	from, good := source(t, "dev")
	for _, restore := range []string{"", "yes"} {
		disktest.Each(t, 30, func(f *disktest.Fault) {
			d := deed{restore, filepath.Dir(from.ListsDir), t.TempDir() + "/new"}
			if restore != "" {
				d.Root, d.Dir = t.TempDir(), good
				testSite(t, d.Root)
			}
			err := d.do(t, f.Disk())
			f.Off()
			if err == nil && f.Hit() && !strings.Contains(f.String(), "rmdir") {
				t.Errorf("%v is not said", f)
			}
			held(t, fmt.Sprint("restore ", restore, ", ", f), d, from, err == nil)
		})
	}
}

// TestKill kills the process at each call.
func TestKill(t *testing.T) {
	from, good := source(t, "dev", "ops")
	for _, restore := range []string{"", "yes"} {
		disktest.Kill(t, 40, func(run func(string) disktest.Death) {
			d := deed{restore, filepath.Dir(from.ListsDir), t.TempDir() + "/new"}
			if restore != "" {
				d.Root, d.Dir = t.TempDir(), good
				testSite(t, d.Root)
			}
			task, _ := json.Marshal(d)
			k := run(string(task))
			held(t, fmt.Sprint("restore ", restore, ", ", k), d, from, k.Said == "done")
		})
	}
}

package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/heldpost"
	"superlist/lists/ledger/files"
	"superlist/lists/site"
	"superlist/lists/web"
	"superlist/queue"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// received is a parcel with members, a held post and an archive.
func received(t *testing.T) []byte {
	p, err := Mlmmj(folderOf(t, mlmmjList(map[string]string{
		"moderation/x": "From: eve@example.net\n\nx\n", "archive/1": "From: a@example.com\n\n1\n", "archive/2": "From: a@example.com\n\n2\n",
	})), Options{})
	return send(t, p, err)
}

// whole wants the list with all that is in the parcel. There may be none yet.
func whole(t *testing.T, site *site.Site, addr smtp.Path, what string) (there bool) {
	t.Helper()
	l, err := lists.Of(site).Open(addr)
	if errors.Is(err, lists.ReplyNoList) {
		return false
	}
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return true
	}
	if l.Web != lists.WebNobody || web.Kept(l) { // whatever happens, nobody sees it before somebody says so
		t.Errorf("%s: web is %s", what, l.Web)
	}
	members, err := os.ReadFile(filepath.Join(l.Dir, "members"))
	held, herr := heldpost.Spool(site, l).List(queue.Held)
	last, lerr := l.Posts().Last()
	bad, cerr := l.Posts().Check(10)
	if err := errors.Join(err, herr, lerr, cerr); err != nil || bytes.Count(members, []byte("@")) == 0 || len(held) != 1 || last != 2 || len(bad) > 0 {
		t.Errorf("%s: half a list: %q, %d are held, %d in the archive, %v %v", what, members, len(held), last, bad, err)
	}
	return true
}

// emptySite is a site that has had lists.
func emptySite(t *testing.T) *site.Site {
	site := testSite(t)
	if err := os.MkdirAll(site.ListsDir, 0o700); err != nil {
		t.Fatal(err)
	}
	return site
}

// imports receives a parcel. That the list is there already is what is wanted.
func imports(site *site.Site, parcel []byte) (smtp.Path, error) {
	report, err := Target{Site: site}.Receive(bytes.NewReader(parcel))
	addr, _ := smtp.ParseAddress(report.List)
	return addr, err
}

// TestFaultReceive fails every system call of an import in turn: there is the list,
// with everything, or nothing of one, and it can be imported then.
func TestFaultReceive(t *testing.T) {
	parcel := received(t)
	addr, err := imports(testSite(t), parcel)
	if err != nil {
		t.Fatal(err)
	}
	disktest.Each(t, 40, func(f *disktest.Fault) {
		site := emptySite(t)
		broken := *site
		broken.Disk = f.Disk()
		_, err := imports(&broken, parcel)
		if f.Hit() != (err != nil) {
			t.Errorf("%s: %v", f, err)
		}
		if !whole(t, site, addr, f.String()) {
			if err == nil {
				t.Errorf("%s: there is none", f)
			}
			nothing(t, site)
			if _, err := imports(site, parcel); err != nil {
				t.Errorf("%s: again: %v", f, err)
			}
			whole(t, site, addr, f.String())
		}
	})
}

// TestMain is also the process that TestKillReceive kills.
func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	config, file, _ := strings.Cut(task, "\n")
	site, err := site.Load(config)
	if err == nil {
		site.Disk, site.Ledger = clustertest.Strict(nil, site.ListsDir, d), files.On
		var parcel []byte
		if parcel, err = os.ReadFile(file); err == nil {
			_, err = imports(site, parcel)
		}
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Print("done")
}

// TestKillReceive kills an import at every system call.
func TestKillReceive(t *testing.T) {
	parcel := received(t)
	file := filepath.Join(t.TempDir(), "parcel")
	if err := os.WriteFile(file, parcel, 0o600); err != nil {
		t.Fatal(err)
	}
	addr, err := imports(testSite(t), parcel)
	if err != nil {
		t.Fatal(err)
	}
	disktest.Kill(t, 40, func(run func(string) disktest.Death) {
		site := emptySite(t)
		k := run(site.File() + "\n" + file)
		there := whole(t, site, addr, k.String())
		if k.Said == "done" && !there || k.Call == "" && k.Said != "done" {
			t.Errorf("%s: said %q, there: %t", k, k.Said, there)
		}
		if _, err := imports(site, parcel); err != nil && !(there && errors.Is(err, fs.ErrExist)) {
			t.Errorf("%s: again: %v", k, err)
		}
		if !whole(t, site, addr, k.String()) {
			t.Errorf("%s: again, and there is none", k)
		}
	})
}

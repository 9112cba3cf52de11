package deliver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"superlist/lists/cluster/clustertest"
	"superlist/lists/ledger/files"
	"superlist/lists/outbound"
	"superlist/lists/sitetest"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// The site of the fault loop: two lists of five members each, sent in batches
// of two, and one post for both, whose sender wants to hear that dev has it.
var faultLists = map[string][]string{
	"dev":  {"a@example.com", "b@example.com", "c@example.com", "d@example.com", "e@example.com"},
	"news": {"f@example.com", "g@example.com", "h@example.com", "i@example.com", "j@example.com"},
}

const faultBatch = 2

// faultSite makes the site in dir, and puts the post into its spool.
func faultSite(t *testing.T, dir string) *site.Site {
	t.Helper()
	site, err := site.Load(sitetest.Write(t, dir, fmt.Sprintf("[relay]\naddress = %q\nbatch = %d", "maildir:"+dir+"/out", faultBatch)))
	if err != nil {
		t.Fatal(err)
	}
	site.Ledger = files.On
	for name, who := range faultLists {
		l, err := edit.Create(lists.Of(site), smtp.Path{Local: name, Domain: "lists.example.org"}, []smtp.Path{{Local: "poster", Domain: "example.com"}}, []string{"post=anyone"})
		if err != nil {
			t.Fatal(err)
		}
		err = edit.Members(l, func(set members.Set) error {
			for _, m := range who {
				p, _ := smtp.ParseAddress(m)
				set.Add(members.Member{Path: p})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	spool := site.Spool()
	if err := spool.Init(); err != nil {
		t.Fatal(err)
	}
	w, err := spool.Create(queue.Head{From: smtp.Path{Local: "poster", Domain: "example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	for name := range faultLists {
		to := smtp.Rcpt{Path: smtp.Path{Local: name, Domain: "lists.example.org"}}
		if name == "dev" {
			to.Notify = smtp.NotifySuccess
		}
		w.Rcpt(to)
	}
	io.WriteString(w, "From: a@example.com\r\nSubject: once\r\n\r\nbody\r\n")
	if err := w.Commit(queue.Inbound); err != nil {
		t.Fatal(err)
	}
	return site
}

// deliverOnce runs deliver with the queue on this disk.
func deliverOnce(site *site.Site, atOnce int, d *disk.Disk) error {
	spool := site.Spool()
	if d != nil {
		spool.Disk = d
	}
	log, _ := maillog.Open("none", "info", "test")
	r := &Runner{Site: site, Spool: spool, Log: log, atOnce: atOnce}
	return r.Run(context.Background())
}

// alone and together are how many messages are sent at a time.
const alone, together = 1, outbound.MaxAtOnce

// checkOnce holds the Maildirs against what must be there when all is
// delivered: every member once, or twice those of as many batches as can have had
// their outcome hidden.
func checkOnce(t *testing.T, site *site.Site, dir, what string, mayHide int) {
	t.Helper()
	twice := 0
	for _, members := range faultLists {
		for _, m := range members {
			files, _ := filepath.Glob(filepath.Join(dir, "out", m, "new", "*"))
			switch {
			case len(files) == 2:
				twice++
			case len(files) != 1:
				t.Errorf("%s: %s got %d", what, m, len(files))
			}
			for _, f := range files {
				if text, _ := os.ReadFile(f); !strings.HasSuffix(string(text), "Subject: once\n\nbody\n") {
					t.Errorf("%s: %s got %q", what, m, text)
				}
			}
		}
	}
	reports, _ := filepath.Glob(filepath.Join(dir, "out", "poster@example.com", "new", "*"))
	switch {
	case len(reports) == 2:
		twice++
	case len(reports) != 1:
		t.Errorf("%s: %d reports", what, len(reports))
	}
	for _, f := range reports {
		if text, _ := os.ReadFile(f); !strings.Contains(string(text), "Final-Recipient: rfc822; dev@") || !strings.Contains(string(text), "Action: delivered") {
			t.Errorf("%s: the report is %q", what, text)
		}
	}
	if twice > faultBatch*mayHide {
		t.Errorf("%s: %d members got it twice", what, twice)
	}
	for name, members := range faultLists {
		checkArchived(t, site, name, members[0], dir, what)
	}
	for _, box := range []queue.Box{queue.Inbound, queue.Outbound, queue.Failed} {
		if list, err := site.Spool().List(box); err != nil || len(list) > 0 {
			t.Errorf("%s: %s still has %d, %v", what, box, len(list), err)
		}
	}
}

// checkArchived holds a list's archive against the one post there was.
func checkArchived(t *testing.T, site *site.Site, name, member, dir, what string) {
	t.Helper()
	l, err := lists.Of(site).Open(smtp.Path{Local: name, Domain: "lists.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	faults, err := l.Posts().Check(10)
	last, lerr := l.Posts().Last()
	if err != nil || lerr != nil || len(faults) > 0 || last != 1 {
		t.Errorf("%s: archive of %s: %d posts, %v %v %v", what, name, last, faults, err, lerr)
		return
	}
	f, _, err := l.Posts().Open(1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kept, _ := io.ReadAll(f)
	got, _ := filepath.Glob(filepath.Join(dir, "out", member, "new", "*"))
	sent, _ := os.ReadFile(got[0])
	_, sent, _ = bytes.Cut(sent, []byte("\n")) // Return-Path
	if want := bytes.ReplaceAll(sent, []byte("\n"), []byte("\r\n")); !bytes.Equal(kept, want) {
		t.Errorf("%s: archive of %s: %q, and %s got %q", what, name, kept, member, want)
	}
}

// hidden says whether a fault at this call may hide the outcome of a batch: it
// comes between the relay's word and its place on disk. Everywhere else nobody
// may get the message twice.
func hidden(call, path string) bool {
	return strings.Contains(path, "/outbound/") && (call == "pwrite" || call == "fdatasync")
}

// mayHide says whether a death at this call may hide the outcome of a batch, where the
// Maildirs are on the same disk: it comes between a message's place there and the mark
// of its recipient.
func mayHide(call, path string) bool { return hidden(call, path) || strings.Contains(path, "/out/") }

// serial has a fault asked for one call at a time: several messages are sent at once.
func serial(fault func(call, path string) error) func(call, path string) error {
	var mu sync.Mutex
	return func(call, path string) error {
		mu.Lock()
		defer mu.Unlock()
		return fault(call, path)
	}
}

// TestFaultDeliver fails every system call of deliver in turn, and then lets it
// run again. The messages that are sent beside the one that it hits know nothing of
// it.
func TestFaultDeliver(t *testing.T) {
	disktest.Each(t, 30, func(f *disktest.Fault) {
		dir := t.TempDir()
		site := faultSite(t, dir)
		if err := deliverOnce(site, together, f.Disk()); err != nil && !f.Hit() {
			t.Errorf("without a fault: %v", err)
		}
		if err := makeDue(site); err != nil {
			t.Fatal(err)
		}
		if err := deliverOnce(site, together, nil); err != nil {
			t.Errorf("%s: again: %v", f, err)
		}
		hides := 0
		if hidden(f.Call, f.Path) {
			hides = 1
		}
		checkOnce(t, site, dir, f.String(), hides)
	})
}

// TestOrderOnDisk holds what no kill can show, since the kernel outlives it: that
// a failure of the power at any moment finds the marks of a file on disk before
// the file goes, a message before its name, and every name before the next step
// builds on it.
func TestOrderOnDisk(t *testing.T) {
	dir := t.TempDir()
	site := faultSite(t, dir)
	dirtyFile := make(map[string]bool) // by name; those in tmp share one
	dirtyDir := make(map[string]bool)
	unlinked := 0
	err := deliverOnce(site, alone, &disk.Disk{Fault: serial(func(call, path string) error {
		what := call + " " + strings.TrimPrefix(path, dir)
		in, name := filepath.Dir(path), filepath.Base(path)
		if filepath.Base(in) == "tmp" {
			name = "tmp"
		}
		archived := strings.Contains(path, "/archive/")
		if archived { // what is beside its place is the same file
			name = strings.TrimSuffix(strings.TrimPrefix(name, "."), ".new")
		}
		switch call {
		case "write", "pwrite":
			dirtyFile[name] = true
			if len(dirtyDir) > 0 {
				t.Errorf("%s: not synced: %v", what, dirtyDir)
			}
			if in == site.QueueDir+"/outbound/cur" && dirtyFile[strings.TrimSuffix(name, filepath.Ext(name))] {
				t.Errorf("%s: it is sent, and that it was expanded is not on disk", what)
			}
		case "fsync", "fdatasync":
			delete(dirtyFile, name)
			delete(dirtyDir, path)
		case "rename":
			if filepath.Base(in) == "cur" {
				break // either place will do
			}
			if dirtyFile["tmp"] && !archived || archived && dirtyFile[name] {
				t.Errorf("%s: its content is not synced", what)
			}
			if archived && dirtyFile["index"] {
				t.Errorf("%s: its line is not synced", what)
			}
			dirtyDir[in] = true
		case "unlink":
			if !archived { // a message: an index of the archive may be made again
				unlinked++
			}
			if dirtyFile[name] {
				t.Errorf("%s: its marks are not synced", what)
			}
			dirtyDir[in] = true
		}
		return nil
	})})
	if err != nil || unlinked != 4 || len(dirtyFile)+len(dirtyDir) > 0 {
		t.Errorf("%v, %d files done, not synced: %v %v", err, unlinked, dirtyFile, dirtyDir)
	}
	checkOnce(t, site, dir, "traced", 0)
}

// makeDue lets time pass for what was deferred.
func makeDue(site *site.Site) error {
	for _, box := range []queue.Box{queue.Inbound, queue.Outbound} {
		for _, sub := range []string{"new", "cur"} {
			files, _ := filepath.Glob(filepath.Join(site.QueueDir, string(box), sub, "*"))
			for _, f := range files {
				info, err := os.Stat(f)
				if err != nil {
					return err
				}
				if err := os.Chtimes(f, info.ModTime(), info.ModTime().Add(-10*24*3600*1e9)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tasks are what a process does that a loop kills; its words say to which site, and
// more.
var tasks = map[string]func(site *site.Site, d *disk.Disk, words string) error{
	"deliver": func(site *site.Site, d *disk.Disk, words string) error {
		atOnce, _ := strconv.Atoi(words)
		return deliverOnce(site, atOnce, d)
	},
	"digest": func(site *site.Site, d *disk.Disk, _ string) error { return twoDays(site, d) },
	"decide": func(site *site.Site, d *disk.Disk, words string) error { return decideOnce(onDisk(site, d), words) },
}

// onDisk is the site with all that changes on this disk: the queue, the lists, and the
// Maildirs to which it sends.
func onDisk(site *site.Site, d *disk.Disk) *site.Site {
	s := *site
	s.Disk = d
	return &s
}

// task is what tasks are called with in another process.
func task(name string, site *site.Site, words string) string {
	return name + "\n" + site.File() + "\n" + words
}

// TestMain is also the process that is killed.
func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	words := strings.SplitN(task, "\n", 3)
	site, err := site.Load(words[1])
	if err == nil {
		site.Ledger = files.On
		err = tasks[words[0]](site, clustertest.Strict(nil, site.ListsDir, d), words[2])
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// TestKillDeliver kills a process before every system call of deliver, and then
// lets another finish the work. Of each message that is on its way it may hide the
// outcome of a batch.
func TestKillDeliver(t *testing.T) {
	for name, atOnce := range map[string]int{"alone": alone, "together": together} {
		t.Run(name, func(t *testing.T) { killDeliver(t, atOnce) })
	}
}

func killDeliver(t *testing.T, atOnce int) {
	disktest.Kill(t, 30, func(run func(string) disktest.Death) {
		dir := t.TempDir()
		site := faultSite(t, dir)
		k := run(task("deliver", site, strconv.Itoa(atOnce)))
		if err := deliverOnce(site, atOnce, nil); err != nil {
			t.Errorf("%s: again: %v", k, err)
		}
		hides := 0
		switch {
		case k.Call == "":
			if k.Err != nil {
				t.Errorf("%v: %s", k.Err, k.Said)
			}
		case atOnce > 1:
			hides = len(faultLists) + 1 // the posts, and the report
		case hidden(k.Call, k.Path):
			hides = 1
		}
		checkOnce(t, site, dir, k.String(), hides)
	})
}

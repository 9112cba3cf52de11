package queue

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
	"superlist/smtp"
)

// TestLock: an opened message is for one process, and for none once it is gone.
func TestLock(t *testing.T) {
	s := &Spool{Dir: t.TempDir(), Host: "mx.example.org"}
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	w, err := s.Create(Head{Arrived: time.Now()})
	if err == nil {
		err = w.Rcpt(smtp.Rcpt{Path: smtp.Path{Local: "a", Domain: "example.org"}})
	}
	if err == nil {
		err = w.Commit(Inbound)
	}
	if err != nil {
		t.Fatal(err)
	}
	open := func() *Message {
		t.Helper()
		m, err := s.Open(Inbound, w.ID())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	one, two, three := open(), open(), open()
	defer three.Close()
	if err := one.Lock(); err != nil {
		t.Error(err)
	}
	if err := two.Lock(); !errors.Is(err, ErrBusy) {
		t.Errorf("a second: %v", err)
	}
	one.Close()
	if err := two.Lock(); err != nil {
		t.Errorf("after the first: %v", err)
	}
	if err := s.Drop(Inbound, w.ID()); err != nil {
		t.Fatal(err)
	}
	two.Close()
	if err := three.Lock(); !errors.Is(err, ErrBusy) {
		t.Errorf("when it is gone: %v", err)
	}
}

func newSpool(t testing.TB) *Spool {
	t.Helper()
	s := &Spool{Dir: filepath.Join(t.TempDir(), "spool"), Host: "mx1"}
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	return s
}

func path(t testing.TB, address string) smtp.Path {
	t.Helper()
	p, ok := smtp.ParseAddress(address)
	if !ok {
		t.Fatalf("%q is not an address", address)
	}
	return p
}

const content = "Received: from x\r\nFrom: alice@example.com\r\n\r\nT <not@a.recipient>\r\n\r\nbody\r\n"

// put writes a message into a box.
func put(t testing.TB, s *Spool, box Box, h Head, to ...string) string {
	t.Helper()
	w, err := s.Create(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range to {
		if err := w.Rcpt(smtp.Rcpt{Path: path(t, a)}); err != nil {
			t.Fatal(err)
		}
	}
	io.WriteString(w, content)
	if err := w.Commit(box); err != nil {
		t.Fatal(err)
	}
	return w.ID()
}

func claim(t testing.TB, s *Spool, box Box, id string) *Message {
	t.Helper()
	list, err := s.List(box)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(e Entry) bool { return e.ID == id })
	if i < 0 {
		t.Fatalf("%s is not in %s", id, box)
	}
	m, err := s.Claim(box, list[i])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func states(t testing.TB, m *Message) string {
	t.Helper()
	var b strings.Builder
	for r, err := range m.Recipients() {
		if err != nil {
			t.Fatal(err)
		}
		b.WriteByte(r.State)
	}
	return b.String()
}

func TestRoundTrip(t *testing.T) {
	s := newSpool(t)
	h := Head{
		Arrived: time.Date(2026, 11, 21, 10, 0, 0, 123456000, time.UTC),
		Client:  "[192.0.2.7]:4711 helo=mail.example.com proto=ESMTP",
		From:    path(t, "dev+bounces-x@lists.example.org"), Body: "8BITMIME",
		Ret: "HDRS", EnvID: "e+2B1", UTF8: true, List: path(t, "dev@lists.example.org"), VERP: true,
		Proved: []smtp.Path{path(t, "a@example.com"), path(t, "b@example.net")}, Hold: "a filter: x", Why: "hold: x",
	}
	id := put(t, s, Outbound, h, "a@example.com", `"b c"@example.com`)
	m := claim(t, s, Outbound, id)
	h.ID = id
	if !reflect.DeepEqual(m.Head, h) {
		t.Errorf("got %+v, want %+v", m.Head, h)
	}
	got, err := io.ReadAll(m.Content())
	if err != nil || string(got) != content || m.Size != int64(len(content)) {
		t.Errorf("content %q, %v, size %d", got, err, m.Size)
	}
	var to []string
	for r, err := range m.Recipients() {
		if err != nil {
			t.Fatal(err)
		}
		to = append(to, r.Path.Address())
	}
	if want := []string{"a@example.com", `"b c"@example.com`}; !slices.Equal(to, want) {
		t.Errorf("recipients %q", to)
	}
	info, err := os.Stat(s.path("outbound/cur", id))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// TestRecipientsKeepTheirWishes: what RCPT said of a recipient is in the file, and
// still there when the message is tried anew.
func TestRecipientsKeepTheirWishes(t *testing.T) {
	s := newSpool(t)
	w, err := s.Create(Head{From: path(t, "a@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	want := []smtp.Rcpt{
		{Path: path(t, "dev@lists.example.org"), Notify: smtp.NotifySuccess | smtp.NotifyDelay, ORcpt: "rfc822;Dev+2B@lists.example.org"},
		{Path: path(t, "news@lists.example.org")},
		{Path: path(t, "用户@例え.テスト"), ORcpt: "utf-8;用户@例え.テスト"},
		{Path: path(t, strings.Repeat("x", 890)+"@lists.e"), Notify: 14, ORcpt: "a;" + strings.Repeat("o", smtp.MaxORcpt-2)},
	}
	for _, to := range want {
		if err := w.Rcpt(to); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(Failed); err != nil {
		t.Fatal(err)
	}
	check := func(m *Message) {
		t.Helper()
		i := 0
		for r, err := range m.Recipients() {
			if err != nil || r.Rcpt != want[i] {
				t.Errorf("got %+v, %v, want %+v", r.Rcpt, err, want[i])
			}
			i++
		}
	}
	m := claim(t, s, Failed, w.ID())
	check(m)
	id, err := m.Retry(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	check(claim(t, s, Inbound, id))
}

func TestMarksAndNotesStay(t *testing.T) {
	s := newSpool(t)
	id := put(t, s, Inbound, Head{}, "a@example.com", "b@example.com", "c@example.com")
	m := claim(t, s, Inbound, id)
	i := 0
	for r := range m.Recipients() {
		if state := "DTF"[i]; state != ToDo {
			if err := m.Mark(r, state); err != nil {
				t.Fatal(err)
			}
		}
		i++
	}
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for _, note := range []string{"<c@example.com> 550 no\r\nsuch user", "second"} {
		if err := m.Note(now, note); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Sync(); err != nil {
		t.Fatal(err)
	}
	m.Close()
	m = claim(t, s, Inbound, id)
	if got := states(t, m); got != "DTF" {
		t.Errorf("states %s", got)
	}
	notes, err := m.Notes()
	if want := []string{"2026-11-21T10:00:00Z <c@example.com> 550 no  such user", "2026-11-21T10:00:00Z second"}; err != nil || !slices.Equal(notes, want) {
		t.Errorf("notes %q, %v", notes, err)
	}
	if got, _ := io.ReadAll(m.Content()); string(got) != content {
		t.Errorf("content is now %q", got)
	}
}

func TestNotesHaveAnEnd(t *testing.T) {
	s := newSpool(t)
	m := claim(t, s, Inbound, put(t, s, Inbound, Head{}, "a@example.com"))
	long := strings.Repeat("x", 64<<10)
	for range 40 {
		if err := m.Note(time.Now(), long); err != nil {
			t.Fatal(err)
		}
	}
	info, _ := m.f.Stat()
	if extra := info.Size() - m.contentAt - m.Size; extra > maxNotes+int64(len(long))+100 {
		t.Errorf("%d bytes of notes", extra)
	}
	if _, err := m.Notes(); err != nil {
		t.Error(err)
	}
}

func TestClaimIsForOne(t *testing.T) {
	s := newSpool(t)
	id := put(t, s, Inbound, Head{}, "a@example.com")
	before, _ := s.List(Inbound) // as a second process saw it before the first claimed
	m := claim(t, s, Inbound, id)
	after, _ := s.List(Inbound)
	for _, e := range []Entry{before[0], after[0]} {
		if _, err := s.Claim(Inbound, e); !errors.Is(err, ErrBusy) {
			t.Errorf("second claim at %s: %v", e.dir, err)
		}
	}
	if err := m.Remove(); err != nil {
		t.Fatal(err)
	}
	for _, e := range []Entry{before[0], after[0]} {
		if _, err := s.Claim(Inbound, e); !errors.Is(err, ErrBusy) {
			t.Errorf("claim after removal at %s: %v", e.dir, err)
		}
	}
	if there, err := s.Exists(Inbound, id); there || err != nil {
		t.Errorf("it still exists, %v", err)
	}
}

// TestClaimNoticesTheFileIsAnother: the file that was opened was finished, and
// another took its name, before the lock was had.
func TestClaimNoticesTheFileIsAnother(t *testing.T) {
	s := newSpool(t)
	put(t, s, Outbound, Head{ID: "one"}, "a@example.com")
	e, _ := s.List(Outbound)
	s.Disk = &disk.Disk{Fault: func(call, path string) error {
		if call == "flock" {
			s.Disk = nil
			os.Remove(path)
			put(t, s, Outbound, Head{ID: "one"}, "b@example.com")
		}
		return nil
	}}
	if _, err := s.Claim(Outbound, e[0]); !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
}

func TestDeferAndDue(t *testing.T) {
	s := newSpool(t)
	id := put(t, s, Outbound, Head{}, "a@example.com")
	m := claim(t, s, Outbound, id)
	at := time.Now().Add(time.Hour).Truncate(time.Second)
	if err := m.Defer(at); err != nil {
		t.Fatal(err)
	}
	put(t, s, Outbound, Head{}, "a@example.com")
	list, err := s.List(Outbound)
	if err != nil || len(list) != 2 || list[1].ID != id || !list[1].Due.Equal(at) || list[1].dir != "outbound/cur" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestGiveUpAndRetry(t *testing.T) {
	s := newSpool(t)
	id := put(t, s, Outbound, Head{List: path(t, "dev@lists.example.org"), VERP: true, Arrived: time.Now().Add(-6 * 24 * time.Hour)},
		"a@example.com", "b@example.com", "c@example.com")
	m := claim(t, s, Outbound, id)
	i := 0
	for r := range m.Recipients() {
		m.Mark(r, "DFF"[i])
		i++
	}
	if err := m.GiveUp(); err != nil {
		t.Fatal(err)
	}
	m = claim(t, s, Failed, id)
	now := time.Now()
	fresh, err := m.Retry(now)
	if err != nil || fresh == id {
		t.Fatalf("%q, %v", fresh, err)
	}
	if there, _ := s.Exists(Failed, id); there {
		t.Error("still in failed")
	}
	m = claim(t, s, Outbound, fresh)
	if got := states(t, m); got != "TT" || !m.VERP || m.List.Local != "dev" {
		t.Errorf("%s %+v", got, m.Head)
	}
	if _, ok := s.Backoff.Next(m.Arrived, now); !ok {
		t.Error("it would be given up at once")
	}
	if got, _ := io.ReadAll(m.Content()); string(got) != content {
		t.Errorf("content is now %q", got)
	}
}

func TestHalfWrittenIsNeverRead(t *testing.T) {
	s := newSpool(t)
	id := put(t, s, Inbound, Head{}, "a@example.com")
	whole, err := os.ReadFile(s.path("inbound/new", id))
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		os.WriteFile(s.path("inbound/new", id), whole[:n], 0o600)
		m, err := s.Open(Inbound, id)
		if !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(whole), err)
		}
		if m != nil {
			m.Close()
		}
	}
}

// TestDamagedContentLine: numbers that no writer puts there are not believed.
func TestDamagedContentLine(t *testing.T) {
	s := newSpool(t)
	id := put(t, s, Inbound, Head{}, "a@example.com")
	path := s.path("inbound/new", id)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(whole, []byte("content: "))
	end := at + bytes.IndexByte(whole[at:], '\n')
	for _, numbers := range []string{"9223372036854775807 9223372036854775807", "200 9223372036854775807", "200 -1", "-1 5", "0 0", "1e3 1", ""} {
		os.WriteFile(path, slices.Concat(whole[:at], []byte("content: "+numbers), whole[end:]), 0o600)
		if m, err := s.Open(Inbound, id); !errors.Is(err, ErrDamaged) {
			t.Errorf("content: %s: %v, %v", numbers, m, err)
		}
	}
}

func TestOddFiles(t *testing.T) {
	s := newSpool(t)
	id := put(t, s, Inbound, Head{}, "a@example.com")
	os.Symlink(s.path("inbound/new", id), s.path("inbound/new/link"))
	os.Mkdir(s.path("inbound/new/dir"), 0o700)
	os.WriteFile(s.path("inbound/new/.hidden"), nil, 0o600)
	list, err := s.List(Inbound)
	if err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	strays, err := s.Strays(Inbound)
	if want := []string{s.path("inbound/new/.hidden"), s.path("inbound/new/dir"), s.path("inbound/new/link")}; err != nil || !slices.Equal(strays, want) {
		t.Errorf("strays: %v, %v", strays, err)
	}
	if there, err := s.Exists(Inbound, "dir"); there || err != nil {
		t.Errorf("a directory is taken for a message: %v", err)
	}
	if _, err := s.Open(Inbound, "link"); !errors.Is(err, unix.ELOOP) {
		t.Errorf("link: %v", err)
	}
	unix.Mkfifo(s.path("inbound/new/pipe"), 0o600) // it has no writer to wait for
	for _, odd := range []string{"pipe", "dir"} {
		if _, err := s.Open(Inbound, odd); !errors.Is(err, disk.ErrNotRegular) {
			t.Errorf("%s: %v", odd, err)
		}
	}
	if _, err := s.Claim(Inbound, Entry{ID: "pipe", dir: "inbound/new"}); !errors.Is(err, disk.ErrNotRegular) {
		t.Errorf("pipe: %v", err)
	}
	for _, bad := range []string{"", ".", "..", "../tmp/x", "a/b", "a b", strings.Repeat("x", 256)} {
		if _, err := s.Open(Inbound, bad); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	os.Rename(s.path("inbound/new", id), s.path("inbound/new/other"))
	if _, err := s.Open(Inbound, "other"); !errors.Is(err, ErrDamaged) {
		t.Errorf("under another name: %v", err)
	}
	if err := s.SetAside(Inbound, Entry{ID: "other", dir: "inbound/new"}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.path("failed/other.damaged")); err != nil {
		t.Error(err)
	}
}

func TestDiscard(t *testing.T) {
	s := newSpool(t)
	put(t, s, Inbound, Head{ID: "1.whole"}, "a@example.com")
	os.WriteFile(s.path("failed/damaged"), []byte("x"), 0o600)
	put(t, s, Inbound, Head{ID: "1.busy"}, "a@example.com")
	busy := claim(t, s, Inbound, "1.busy")
	defer busy.Close()
	for _, box := range []Box{Inbound, Failed} {
		list, _ := s.List(box)
		for _, e := range list {
			if err := s.Discard(box, e); (err != nil) != (e.ID == "1.busy") {
				t.Errorf("%s: %v", e.ID, err)
			}
		}
	}
	for _, dir := range []string{"inbound/new", "failed"} {
		if left, _ := os.ReadDir(s.path(dir)); len(left) > 0 {
			t.Errorf("left in %s: %v", dir, left)
		}
	}
}

func TestHeadCannotBeForged(t *testing.T) {
	s := newSpool(t)
	for _, h := range []Head{
		{Client: "x\nfrom: <evil@example.com>"}, {Client: "x\r"}, {Client: "\x00"}, {Client: "\u202e"}, {Client: "\xff"},
		{ID: "../../etc/passwd"}, {ID: "a b"}, {Body: "8BITMIME\nverp: yes"},
		{From: smtp.Path{Local: "a\nb", Domain: "example.com"}},
	} {
		if w, err := s.Create(h); err == nil {
			t.Errorf("%+v was taken", h)
			w.Abort()
		}
	}
	w, err := s.Create(Head{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if err := w.Rcpt(smtp.Rcpt{Path: smtp.Path{Local: "a\nD <b", Domain: "example.com"}}); err == nil {
		t.Error("a recipient with a line break was taken")
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	s := newSpool(t)
	w, err := s.Create(Head{})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, content)
	w.Abort()
	if left, _ := os.ReadDir(s.path("tmp")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestRefusedAreFailed(t *testing.T) {
	s := newSpool(t)
	w, err := s.Create(Head{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"a@example.com", "b@example.com", "c@example.com"} {
		w.Rcpt(smtp.Rcpt{Path: path(t, a)})
	}
	io.WriteString(w, content)
	if err := w.Commit(Inbound, 0, 2); err != nil {
		t.Fatal(err)
	}
	if got := states(t, claim(t, s, Inbound, w.ID())); got != "FTF" {
		t.Errorf("states %s", got)
	}
}

func TestWaterMarks(t *testing.T) {
	s := newSpool(t)
	s.MaxMessages, s.MinMessages = 4, 2
	var ids []string
	admitted := func() bool {
		err := s.Admit(0, "")
		if err != nil && smtp.ReplyTo(err) != replyFull {
			t.Fatal(err)
		}
		return err == nil
	}
	for i, box := range []Box{Inbound, Inbound, Outbound, Outbound} {
		if !admitted() {
			t.Fatalf("refused with %d messages", i)
		}
		ids = append(ids, put(t, s, box, Head{}, "a@example.com"))
	}
	if admitted() {
		t.Error("admitted at the high-water mark")
	}
	remove := func(i int, box Box) {
		if err := claim(t, s, box, ids[i]).Remove(); err != nil {
			t.Fatal(err)
		}
	}
	remove(0, Inbound)
	remove(2, Outbound)
	if admitted() {
		t.Error("admitted at the low-water mark")
	}
	remove(1, Inbound)
	if !admitted() {
		t.Error("refused below the low-water mark")
	}
	put(t, s, Inbound, Head{}, "a@example.com")
	if !admitted() {
		t.Error("refused between the marks after it was emptied")
	}
}

func TestNoSpace(t *testing.T) {
	s := newSpool(t)
	var st unix.Statfs_t
	if err := unix.Statfs(s.Dir, &st); err != nil {
		t.Fatal(err)
	}
	free := int64(st.Bavail) * st.Bsize
	if err := s.Admit(free, ""); smtp.ReplyTo(err) != smtp.ReplyNoSpace {
		t.Errorf("a message as large as the disk: %v", err)
	}
	if err := s.Admit(free-MinFreeBytes-(1<<30), ""); err != nil {
		t.Errorf("a message that fits: %v", err)
	}
}

func TestSweep(t *testing.T) {
	s := newSpool(t)
	now := time.Now()
	for name, age := range map[string]time.Duration{"old": SweepAge + time.Second, "young": SweepAge - time.Minute} {
		os.WriteFile(s.path("tmp", name), nil, 0o600)
		os.Chtimes(s.path("tmp", name), now, now.Add(-age))
	}
	n, err := s.Sweep(now)
	left, _ := os.ReadDir(s.path("tmp"))
	if n != 1 || err != nil || len(left) != 1 || left[0].Name() != "young" {
		t.Errorf("%d, %v, left %v", n, err, left)
	}
}

func TestBackoff(t *testing.T) {
	arrived := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	var b Backoff
	now := arrived
	var waits []time.Duration
	for {
		next, ok := b.Next(arrived, now)
		if !ok {
			break
		}
		waits = append(waits, next.Sub(now))
		now = next
	}
	want := []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute, 160 * time.Minute, 4 * time.Hour}
	if !slices.Equal(waits[:len(want)], want) {
		t.Errorf("waits %v", waits[:len(want)])
	}
	if age := now.Sub(arrived); age < GiveUp || age > GiveUp+RetryMax {
		t.Errorf("given up after %v", age)
	}
	if _, ok := b.Next(arrived, arrived.Add(GiveUp-1)); !ok {
		t.Error("given up too early")
	}
	own := Backoff{Min: time.Second, Max: 3 * time.Second, GiveUp: time.Minute}
	if at, _ := own.Next(arrived, arrived); at.Sub(arrived) != time.Second {
		t.Errorf("first wait %v", at.Sub(arrived))
	}
	if at, _ := own.Next(arrived, arrived.Add(50*time.Second)); at.Sub(arrived) != 53*time.Second {
		t.Errorf("last wait until %v", at.Sub(arrived))
	}
}

func TestNamesAreUnique(t *testing.T) {
	s := newSpool(t)
	now := time.Now()
	seen := make(map[string]bool)
	for range 500 { // of one microsecond; with many more, 32 random bits do meet
		name := s.newName(now, "")
		if seen[name] || !validID(name) {
			t.Fatalf("%q", name)
		}
		seen[name] = true
	}
}

// TestPrepare shows that a message between the two steps of a commit is nobody's,
// and that either can follow.
func TestPrepare(t *testing.T) {
	for _, publish := range []bool{true, false} {
		s := newSpool(t)
		w, err := s.Create(Head{From: smtp.Path{Local: "a", Domain: "example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		w.Rcpt(smtp.Rcpt{Path: smtp.Path{Local: "dev", Domain: "lists.example.org"}})
		w.Write([]byte(content))
		if err := w.Prepare(); err != nil {
			t.Fatal(err)
		}
		if list, err := s.List(Inbound); err != nil || len(list) != 0 {
			t.Errorf("prepared, and %d messages are in the spool, %v", len(list), err)
		}
		synced := false
		s.Disk = &disk.Disk{Fault: func(call, _ string) error {
			synced = synced || call == "fsync"
			if call != "rename" && call != "fsync" {
				t.Errorf("%s after Prepare", call)
			}
			return nil
		}}
		want := 0
		if publish {
			if err := w.Publish(Inbound); err != nil || !synced {
				t.Errorf("%v, synced: %t", err, synced)
			}
			want = 1
		} else {
			w.Abort()
		}
		s.Disk = nil
		if list, err := s.List(Inbound); err != nil || len(list) != want {
			t.Errorf("%d messages are in the spool, want %d, %v", len(list), want, err)
		}
		if left, _ := os.ReadDir(s.path("tmp")); len(left) > 0 {
			t.Errorf("left in tmp: %v", left)
		}
	}
}

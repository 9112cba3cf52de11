package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/ledger/files"
	"superlist/lists/site"
	"superlist/smtp"
)

// atOnce is how many processes change one list at the same time.
const atOnce = 200

// TestTwoHundredProcesses: two hundred processes that add and remove members, by
// the operator's command and by mail, loose nobody, have nobody twice, and leave
// the file in order.
//
// Who reads the file, changes what he has read and puts it back without a lock
// that all of them share undoes what the others have done meanwhile: 200 at once
// leave a handful of changes of 200. A lock on the file itself is lost with the
// first rename. That all of them really want the list at the same moment is seen
// to: the list's lock is held until the last of them waits for it.
func TestTwoHundredProcesses(t *testing.T) {
	bin, err := programs()
	must(t, err)
	dir, superlist := killSite(t, bin)
	superlist("list", "set", list, "subscribe=open", "notify=false")

	site, err := site.Load(dir + "/superlist.toml")
	must(t, err)
	site.Ledger = files.On
	address, _ := smtp.ParseAddress(list)
	l, err := lists.Of(site).Open(address)
	must(t, err)

	var processes [][]string // of the command superlist
	var before, mails, after []string
	// More of one domain than may wait for an answer would come in another day.
	domain := func(i int) string { return fmt.Sprintf("d%d.example.com", i%4) }
	person := func(kind string, i int) string { return fmt.Sprintf("%s%02d@%s", kind, i, domain(i)) }
	for i := range 60 { // whom nobody touches, with words that must stay
		line := person("stays", i) + " nomail name=Number " + fmt.Sprint(i)
		before, after = append(before, line), append(after, line)
	}
	for i := range 50 {
		processes = append(processes, []string{"member", "add", list, person("added", i)})
		after = append(after, person("added", i))
	}
	for i := range 50 {
		before = append(before, person("removed", i))
		processes = append(processes, []string{"member", "rm", list, person("removed", i)})
	}
	for i := range 40 { // ten of each
		processes = append(processes, []string{"member", "add", list, person("wanted", i%4)})
	}
	for i := range 4 {
		after = append(after, person("wanted", i))
	}
	for i := range 30 {
		mails = append(mails, person("joins", i), "dev+subscribe@lists.example.org")
		after = append(after, person("joins", i))
	}
	for i := range 30 {
		before = append(before, person("leaves", i))
		confirm, err := l.ProofAddress(confirmation.Unsubscribe, fmt.Sprintf("leaves%02d=%s", i, domain(i)), time.Now())
		must(t, err)
		mails = append(mails, person("leaves", i), confirm.Address())
	}
	for range len(mails) / 2 { // each claims one of them, and waits with it
		processes = append(processes, []string{"deliver"})
	}
	if len(processes) != atOnce {
		t.Fatalf("%d processes, want %d", len(processes), atOnce)
	}
	must(t, os.WriteFile(l.Dir+"/members", []byte(strings.Join(slices.Sorted(slices.Values(before)), "\n")+"\n"), 0o600))
	talk := "EHLO me\r\n"
	for pair := range slices.Chunk(mails, 2) {
		talk += fmt.Sprintf("MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\nFrom: %[1]s\r\n\r\n.\r\n", pair[0], pair[1])
	}
	spawn := exec.Command(bin+"/superlist-spawn", "-c", dir+"/superlist.toml")
	spawn.Stdin = strings.NewReader(talk + "QUIT\r\n")
	if out, err := spawn.CombinedOutput(); err != nil || strings.Count(string(out), "250 2.0.0 queued as ") != len(mails)/2 {
		t.Fatalf("%v\n%s", err, out)
	}

	unlock := holdList(t, l.Dir)
	done := make(chan error, atOnce)
	for i, arg := range processes {
		cmd := exec.Command(bin+"/superlist", append([]string{"-c", dir + "/superlist.toml"}, arg...)...)
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		must(t, cmd.Start())
		go func() {
			err := cmd.Wait()
			if err != nil {
				err = fmt.Errorf("superlist %q: %w\n%s", arg, err, out.String())
			}
			done <- err
		}()
		// No more than eight that are still starting.
		wait(t, "the processes to come to the lock", func() bool { return waiting(t, l.Dir) >= i-8 })
	}
	wait(t, "all processes to wait for the list", func() bool { return waiting(t, l.Dir) == atOnce })
	unlock()
	for range processes {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}

	text, err := os.ReadFile(l.Dir + "/members")
	must(t, err)
	slices.Sort(after)
	got := strings.Split(strings.TrimSpace(string(text)), "\n")
	if !slices.IsSorted(got) {
		t.Errorf("not in order:\n%s", text)
	}
	for _, line := range after {
		if n := count(got, line); n != 1 {
			t.Errorf("%q is there %d times", line, n)
		}
	}
	for _, line := range got {
		if !slices.Contains(after, line) {
			t.Errorf("%q is there", line)
		}
	}
	m, err := l.Members()
	must(t, err)
	defer m.Close()
	if wrong, inOrder, err := m.Lint(); len(wrong) > 0 || !inOrder || err != nil {
		t.Errorf("the members file: %q, in order: %t, %v", wrong, inOrder, err)
	}
	if info, err := os.Stat(l.Dir + "/members"); err != nil || info.Mode() != 0o600 {
		t.Errorf("the members file is %v, %v", info.Mode(), err)
	}
	superlist("deliver") // what was claimed by another the moment it was looked for
	wantSpoolEmpty(t, dir)
	for i := range 30 { // welcomed or seen off, once
		for _, who := range []string{person("joins", i), person("leaves", i)} {
			if letters, _ := filepath.Glob(filepath.Join(dir, "out", who, "new", "*")); len(letters) != 1 {
				t.Errorf("%s got %d letters", who, len(letters))
			}
		}
	}
}

func count(lines []string, want string) (n int) {
	for _, line := range lines {
		if line == want {
			n++
		}
	}
	return n
}

// holdList takes a list's lock as a change does.
func holdList(t *testing.T, dir string) (unlock func()) {
	t.Helper()
	d, err := os.Open(dir)
	must(t, err)
	must(t, syscall.Flock(int(d.Fd()), syscall.LOCK_EX))
	return func() { d.Close() }
}

// waiting is how many processes wait for a list's lock: lines with an arrow in
// /proc/locks, proc_locks(5).
func waiting(t *testing.T, dir string) (n int) {
	t.Helper()
	info, err := os.Stat(dir)
	must(t, err)
	inode := fmt.Sprintf(":%d 0 EOF", info.Sys().(*syscall.Stat_t).Ino)
	locks, err := os.ReadFile("/proc/locks")
	must(t, err)
	for line := range strings.Lines(string(locks)) {
		if strings.Contains(line, "-> FLOCK") && strings.HasSuffix(strings.TrimSpace(line), inode) {
			n++
		}
	}
	return n
}

// TestModeratorsAtOnce: two dozen processes decide on one held post at the same
// moment, by mail and by the operator's command, and not alike. One of them does,
// and what it says is done, once. Who looks whether a post is still there, and
// then sends it, sends it as often as somebody looked.
func TestModeratorsAtOnce(t *testing.T) {
	bin, err := programs()
	must(t, err)
	dir, superlist := killSite(t, bin)
	superlist("list", "set", list, "nonmembers=hold", "moderators=mona@example.com")
	outcomes := make(map[string]int)
	for round := range 4 {
		must(t, os.RemoveAll(dir+"/out"))
		author := fmt.Sprintf("eve%d@example.net", round)
		send := func(from string, to ...string) {
			t.Helper()
			c := newTalk(t, bin, dir)
			for _, rcpt := range to {
				c.say("250 ", "MAIL FROM:<"+from+">\r\nRCPT TO:<"+rcpt+">\r\n")
				c.wantReply("250 ")
				c.say("354 ", "DATA\r\n")
				c.say("250 2.0.0 ", "From: "+from+"\r\nSubject: a post\r\n\r\nbecause\r\n.\r\n")
			}
			c.say("221 ", "QUIT\r\n")
		}
		send(author, list)
		superlist("deliver")
		notices, _ := filepath.Glob(dir + "/out/mona@example.com/new/*")
		if len(notices) != 1 {
			t.Fatalf("the moderator got %d letters", len(notices))
		}
		notice, err := os.ReadFile(notices[0])
		must(t, err)
		var answers []string
		for range 4 {
			for _, action := range []string{"p", "r", "d"} {
				answers = append(answers, confirmAddress(t, string(notice), action))
			}
		}
		send("mona@example.com", answers...)
		name := strings.Fields(string(superlist("held", "ls", list, "--json")))
		id := ""
		for i, word := range name {
			if word == `"name":` {
				id = strings.Trim(name[i+1], `",`)
			}
		}
		if id == "" {
			t.Fatalf("held ls: %q", name)
		}
		var wg sync.WaitGroup
		for i := range 24 {
			arg := [][]string{{"deliver"}, {"deliver"}, {"held", "approve", list, id}, {"held", "reject", list, id, "--reason", "no"}}[i%4]
			wg.Go(func() {
				exec.Command(bin+"/superlist", append([]string{"-c", dir + "/superlist.toml"}, arg...)...).Run()
			})
		}
		wg.Wait()
		superlist("deliver")

		got := 0
		for _, m := range members {
			copies, _ := filepath.Glob(filepath.Join(dir, "out", m, "new", "*"))
			if len(copies) > 1 {
				t.Errorf("%s got it %d times", m, len(copies))
			}
			got += len(copies)
		}
		back, _ := filepath.Glob(filepath.Join(dir, "out", author, "new", "*"))
		switch {
		case got == len(members) && len(back) == 0:
			outcomes["sent"]++
		case got == 0 && len(back) == 1:
			outcomes["sent back"]++
		case got == 0 && len(back) == 0:
			outcomes["thrown away"]++
		default:
			t.Errorf("%d of %d members got it, and it came back %d times", got, len(members), len(back))
		}
		if held := strings.TrimSpace(string(superlist("held", "ls", list, "--json"))); held != "[]" && held != "null" && held != "" {
			t.Errorf("still held: %s", held)
		}
		for _, box := range []string{"tmp", "inbound/*", "outbound/*"} { // who came second is in failed
			if left, _ := filepath.Glob(dir + "/spool/" + box + "/*"); len(left) > 0 {
				t.Errorf("left in the spool: %q", left)
			}
		}
	}
	t.Logf("%v", outcomes)
}

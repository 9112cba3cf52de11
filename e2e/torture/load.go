package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	loadSessions = 1000    // at a time, at most
	loadPosts    = 100_000 // at most
	restartEvery = 8 * time.Second
	// sessionTime bounds a session on a machine that is busy with a thousand of them.
	sessionTime = time.Minute
	// afterLoad is how much longer than its time a load may take: until all mail has come.
	afterLoad = time.Minute
)

// The fates of a post, as its sender knows them.
const (
	unsent   = iota // not offered to its end
	unknown         // its end was sent, and no reply was read
	promised        // 250
)

// load is sessions at a time that end at random, while Postfix is restarted.
func load(t *torture, r *result, until time.Time) error {
	h, err := t.newHost(until.Add(afterLoad))
	if errors.Is(err, errNoPostfix) {
		r.Skipped = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	defer h.down()
	if err := h.up(); err != nil {
		return err
	}
	// In a few seconds a thousand would do nothing but begin.
	sessions, posts := min(loadSessions, max(50, int(time.Until(until).Seconds())*10)), loadPosts
	if t.most > 0 {
		sessions, posts = t.most, 3*t.most
	}
	// A third of the time is for what waits then.
	sending := time.Now().Add(time.Until(until) * 2 / 3)
	fates := make([]atomic.Int32, posts)
	var next, cutOff, restarts atomic.Int64
	var vain unanswered
	stop := make(chan bool)
	var restarting, sent sync.WaitGroup
	restarting.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(restartEvery):
			}
			if err := h.postfix([]string{"stop", "reload", "abort"}[i%3]); errors.Is(err, errStuck) {
				r.note("%v; the last word of its log: %s", err, h.complaint())
			}
			if err := h.up(); err != nil {
				r.fault("load", h.complaint(), err.Error())
			}
			restarts.Add(1)
		}
	})
	for range sessions {
		sent.Go(func() {
			for time.Now().Before(sending) {
				n := int(next.Add(1)) - 1
				if n >= posts {
					return
				}
				for time.Now().Before(sending) { // until somebody takes it, or nobody knows
					fate, cut, vainly := h.client.send(n, rand.IntN(10) == 0, until)
					vain.add(vainly)
					fates[n].Store(int32(fate))
					if cut {
						cutOff.Add(1)
					}
					if fate != unsent || cut {
						break
					}
					time.Sleep(time.Duration(rand.IntN(1000)) * time.Millisecond)
				}
				t.progress(fmt.Sprintf("load: post %d, %d restarts", n, restarts.Load()))
			}
		})
	}
	sent.Wait()
	close(stop)
	restarting.Wait()
	if err := h.drain(); err != nil {
		r.fault("load", h.complaint(), err.Error())
	}
	total := min(int(next.Load()), posts)
	r.note("%d sessions at a time, %d disconnected, Postfix restarted %d times", sessions, cutOff.Load(), restarts.Load())
	vain.note(r)
	return count(r, fates[:total], h.complaint, func(m string) string { return filepath.Join(h.dir, "boxes", box(m)) })
}

// unanswered are the replies that sessions have waited for until their time was over.
type unanswered struct {
	mu    sync.Mutex
	times map[string]int
}

func (w *unanswered) add(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.times == nil {
		w.times = map[string]int{}
	}
	if what != "" {
		w.times[what]++
	}
}

func (w *unanswered) note(r *result) {
	for _, what := range slices.Sorted(maps.Keys(w.times)) {
		r.note("%d sessions waited in vain for %s", w.times[what], what)
	}
}

// A client posts to a server.
type client struct {
	server string
	from   net.Addr // nil: any of ours
}

// send posts in a session of its own, which ends by until. cut: the client leaves
// somewhere in the middle. vainly is what the session has waited for in vain.
func (c client) send(n int, cut bool, until time.Time) (fate int, left bool, vainly string) {
	until = earlier(time.Now().Add(sessionTime), until)
	conn, err := (&net.Dialer{Deadline: until, LocalAddr: c.from}).Dial("tcp", c.server)
	if err != nil {
		return unsent, false, inVain(err, "a connection")
	}
	defer conn.Close()
	conn.SetDeadline(until)
	in := bufio.NewReader(conn)
	leaves := -1
	if cut {
		leaves = rand.IntN(6)
	}
	post := fmt.Sprintf("From: %s\r\nSubject: load %d\r\nMessage-ID: <load.%[2]d@example.com>\r\n\r\n%[3]sthe end of %[2]d\r\n.\r\n", poster, n, strings.Repeat("a line of a post\r\n", rand.IntN(300)))
	for i, piece := range []string{"", "EHLO client.example.com\r\n", "MAIL FROM:<" + poster + ">\r\n", "RCPT TO:<" + list + ">\r\n", "DATA\r\n", post} {
		switch {
		case i == leaves && i == 5 && rand.IntN(2) == 0:
			conn.Write([]byte(post[:rand.IntN(len(post)-5)])) // half of it
			return unsent, true, ""
		case i == leaves:
			conn.Write([]byte(piece)) // and hears no reply
			if i == 5 {
				return unknown, true, ""
			}
			return unsent, true, ""
		}
		reply := []string{"a greeting", "the reply to EHLO", "the reply to MAIL", "the reply to RCPT", "the reply to DATA", "the reply to a post"}[i]
		if _, err := conn.Write([]byte(piece)); err != nil && i < 5 {
			return unsent, false, inVain(err, reply)
		}
		line, err := in.ReadString('\n')
		for err == nil && len(line) > 3 && line[3] == '-' {
			line, err = in.ReadString('\n')
		}
		if i == 5 && err != nil {
			return unknown, false, inVain(err, reply)
		}
		if err != nil || line[0] != "222232"[i] {
			return unsent, false, inVain(err, reply)
		}
	}
	conn.Write([]byte("QUIT\r\n"))
	return promised, false, ""
}

// inVain is what was waited for, if the time is what was over.
func inVain(err error, what string) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return what
	}
	return ""
}

var subject = regexp.MustCompile(`(?m)^Subject: load ([0-9]+)$`)

// count holds every member's Maildir against what was promised.
func count(r *result, fates []atomic.Int32, complaint func() string, maildir func(member string) string) error {
	promises, hidden := 0, 0
	for i := range fates {
		switch fates[i].Load() {
		case promised:
			promises++
		case unknown:
			hidden++
		}
	}
	r.note("%d posts got 250, of %d nobody knows", promises, hidden)
	if promises == 0 {
		r.fault(r.Part, complaint(), "no post got 250")
	}
	for _, m := range members {
		got := make([]int, len(fates))
		files, err := filepath.Glob(filepath.Join(maildir(m), "new", "*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			found := subject.FindSubmatch(text)
			if found == nil {
				r.fault(r.Part, file, m+" has other mail")
				continue
			}
			n, _ := strconv.Atoi(string(found[1]))
			if n >= len(got) || !bytes.HasSuffix(bytes.TrimRight(text, "\r\n"), fmt.Appendf(nil, "the end of %d", n)) {
				r.fault(r.Part, file, m+" has half a post")
				continue
			}
			got[n]++
		}
		for n, times := range got {
			var o outcome
			switch fate := int(fates[n].Load()); {
			case fate == promised && times == 0:
				o.faults = append(o.faults, m+" lacks a post that got 250")
			case fate == unsent && times > 0:
				o.faults = append(o.faults, m+" has a post that was not sent to its end")
			case times > 2:
				o.faults = append(o.faults, m+" has a post more than twice")
			}
			o.twice = max(0, times-1)
			r.add(r.Part, fmt.Sprintf("post %d, %d times", n, times), o)
		}
	}
	return nil
}

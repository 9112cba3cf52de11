package cluster

import (
	"bufio"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A mail is what somebody has got.
type mail struct {
	from, to string
	post     int    // its number; -1: it is no post
	host, id string // which Postfix has sent it, and what that calls it
	at       time.Time
	subject  string
	text     string // of what is no post
}

// A world has all mail that leaves the hosts.
type world struct {
	mu    sync.Mutex
	boxes map[string][]mail
	// posts has the copies of each post.
	posts map[int][]mail
	hear  func(mail) // of each letter; called in a goroutine of its own
}

// open receives mail until the test ends.
func (w *world) open() error {
	l, err := net.Listen("tcp", worldIP+":25")
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.session(c)
		}
	}()
	return nil
}

func (w *world) session(c net.Conn) {
	defer c.Close()
	in := textproto.NewReader(bufio.NewReader(c))
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
	say("220 world.example")
	var from string
	var to []string
	for {
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		verb := strings.ToUpper(line)
		switch {
		case strings.HasPrefix(verb, "MAIL"):
			from, to = path(line), nil
			say("250 2.1.0 Ok")
		case strings.HasPrefix(verb, "RCPT"):
			to = append(to, path(line))
			say("250 2.1.5 Ok")
		case verb == "DATA":
			say("354 Go on")
			text, err := in.ReadDotBytes()
			if err != nil {
				return
			}
			w.take(from, to, string(text))
			say("250 2.0.0 Ok")
		case verb == "QUIT":
			say("221 2.0.0 Bye")
			return
		case strings.HasPrefix(verb, "EHLO"):
			say("250-world.example\r\n250-SIZE\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")
		default:
			say("250 2.0.0 Ok")
		}
	}
}

func path(line string) string {
	_, line, _ = strings.Cut(line, "<")
	line, _, _ = strings.Cut(line, ">")
	return line
}

var (
	sentBy   = regexp.MustCompile(`by (mx[0-9])\.example\.org \(Postfix[^)]*\)\s+with E?SMTP id ([0-9A-Za-z]+)`)
	postID   = regexp.MustCompile(`(?m)^Message-ID: <p([0-9]+)@posts\.example>`)
	subjects = regexp.MustCompile(`(?m)^Subject: (.*(?:\n[ \t].*)*)$`)
)

func (w *world) take(from string, to []string, text string) {
	m := mail{from: from, at: time.Now(), post: -1}
	if found := sentBy.FindStringSubmatch(text); found != nil {
		m.host, m.id = found[1], found[2]
	}
	head, _, _ := strings.Cut(text, "\n\n")
	if found := subjects.FindStringSubmatch(head); found != nil {
		m.subject = strings.ReplaceAll(found[1], "\n", "")
	}
	if found := postID.FindStringSubmatch(head); found != nil {
		m.post, _ = strconv.Atoi(found[1])
	} else {
		m.text = text
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m.to = range to {
		if m.post >= 0 {
			w.posts[m.post] = append(w.posts[m.post], m)
			if m.to[0] == 'b' { // whose mail comes back
				go w.hear(m)
			}
			continue
		}
		w.boxes[m.to] = append(w.boxes[m.to], m)
		go w.hear(m)
	}
}

// box is the letters that somebody has got, of those whose subject has this.
func (w *world) box(who, subject string) (all []mail) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.boxes[who] {
		if strings.Contains(m.subject, subject) {
			all = append(all, m)
		}
	}
	return all
}

// wait is the first of them, or false when it does not come.
func (w *world) wait(who, subject string, patience time.Duration) (mail, bool) {
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if all := w.box(who, subject); len(all) > 0 {
			return all[0], true
		}
		if time.Now().After(end) {
			return mail{}, false
		}
	}
}

// The fates of mail that is sent, as its sender knows them.
const (
	unsent  = iota
	unknown // its end was sent, and no reply came
	refused
	taken
)

// send sends mail to a host, from one of the people.
func send(n, who int, from, to, text string) (fate int, reply string) {
	d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: someone(who)}}
	c, err := d.Dial("tcp", hostIP(n)+":25")
	if err != nil {
		return unsent, err.Error()
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	in := textproto.NewReader(bufio.NewReader(c))
	steps := []string{"", "EHLO client.example", "MAIL FROM:<" + from + ">", "RCPT TO:<" + to + ">", "DATA",
		strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\r\n") + "\r\n."}
	for i, line := range steps {
		if i > 0 {
			if _, err := fmt.Fprintf(c, "%s\r\n", line); err != nil {
				return unsent, err.Error()
			}
		}
		last := i == len(steps)-1
		code, text, err := in.ReadResponse(0)
		reply = fmt.Sprintf("%d %s", code, text)
		switch {
		case err != nil && code == 0 && last:
			return unknown, err.Error()
		case err != nil && code == 0, code >= 400 && code < 500:
			return unsent, reply
		case code >= 500:
			return refused, reply
		}
	}
	fmt.Fprintf(c, "QUIT\r\n")
	return taken, reply
}

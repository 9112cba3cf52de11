package e2e

import (
	"bufio"
	"cmp"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A taker is a mail server that takes everything, offers XVERP as Postfix does,
// and refuses the recipients it is told to.
type taker struct {
	mu     sync.Mutex
	refuse map[string]string // recipient: reply
	after  map[string]string // recipient: reply to the end of data
	got    []taken
	mails  int // transactions with a message
}

// A taken is a message for one recipient, line ends as LF.
type taken struct{ from, to, message string }

// startTaker serves at an address until the test ends.
func startTaker(t *testing.T, address string) *taker {
	t.Helper()
	l, err := net.Listen("tcp", address)
	must(t, err)
	s := &taker{refuse: make(map[string]string), after: make(map[string]string)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *taker) serve(conn net.Conn) {
	defer conn.Close()
	in := textproto.NewReader(bufio.NewReader(conn))
	say := func(format string, args ...any) { fmt.Fprintf(conn, format+"\r\n", args...) }
	say("220 mx.example.org ESMTP")
	var from, verp string
	var to []string
	for {
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-mx.example.org\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 XVERP")
		case "MAIL":
			from, to = path(arg), nil
			_, verp, _ = strings.Cut(arg, " XVERP=")
			say("250 2.1.0 ok")
		case "RCPT":
			rcpt := path(arg)
			s.mu.Lock()
			no := s.refuse[rcpt]
			s.mu.Unlock()
			if no != "" {
				say("%s", no)
				break
			}
			to = append(to, rcpt)
			say("250 2.1.5 ok")
		case "DATA":
			if len(to) == 0 {
				say("554 5.5.1 no recipients")
				break
			}
			say("354 go on")
			message, err := in.ReadDotBytes()
			if err != nil {
				return
			}
			reply := "250 2.0.0 taken"
			s.mu.Lock()
			s.mails++
			for _, rcpt := range to {
				reply = cmp.Or(s.after[rcpt], reply)
			}
			if reply[0] == '2' {
				for _, rcpt := range to {
					s.got = append(s.got, taken{expand(from, verp, rcpt), rcpt, string(message)})
				}
			}
			s.mu.Unlock()
			say("%s", reply)
		case "QUIT":
			say("221 2.0.0 bye")
			return
		default:
			say("250 2.0.0 ok")
		}
	}
}

// expand is XVERP: with "+=", a@b for c@d is a+c=d@b.
func expand(from, verp, rcpt string) string {
	local, domain, ok := strings.Cut(from, "@")
	if len(verp) < 2 || !ok {
		return from
	}
	return local + verp[:1] + strings.Replace(rcpt, "@", verp[1:2], 1) + "@" + domain
}

// path is what stands in angle brackets.
func path(arg string) string {
	_, rest, _ := strings.Cut(arg, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}

// refuses says how a recipient is refused; "" takes it back.
func (s *taker) refuses(rcpt, reply string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse[rcpt] = reply
}

// take gives what has come since the last time.
func (s *taker) take() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := slices.Clone(s.got)
	s.got = nil
	return got
}

// recipients are those of messages, in order.
func recipients(got []taken) (to []string) {
	for _, m := range got {
		to = append(to, m.to)
	}
	slices.Sort(to)
	return to
}

package deliver

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"superlist/lists"
	"superlist/smtp"
)

// A fakeRelay is a server that does as it is told. It is no smtp.Session, so
// that one's mistakes cannot hide the other's.
type fakeRelay struct {
	t        *testing.T
	listener net.Listener

	lmtp        bool
	heloOnly    bool   // EHLO is refused
	extensions  string // keywords to announce, besides the first line
	limits      string // RFC 9422, to announce
	atMost      int    // recipients in a transaction; 0: any number
	tooMany     string // what the next one hears
	refuseXVERP bool   // announced, and refused with 555 at MAIL
	tls         *tls.Config
	auth        string // what AUTH PLAIN must be; empty: not offered

	hold     func(message string) // before a message is answered
	received chan delivered       // hears what is accepted, where it is set

	mu       sync.Mutex
	mail     []string            // replies to MAIL, one after the other; then 250
	rcpt     map[string][]string // … to RCPT, for each recipient
	final    []string            // … to the message; of LMTP: for each recipient of it
	drop     map[string]int      // verb: at which one of them the connection ends; "." is after the final dot
	perConn  int                 // messages after which a connection gets 421; 0: any number
	got      []delivered
	commands []string // MAIL commands as they came
	batches  []int    // accepted recipients of each message
	conns    int
}

// A delivered is a message that was accepted for one recipient.
type delivered struct{ from, to, message string }

// start serves until the test ends, and gives the address for relay.address.
func (f *fakeRelay) start(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.serve(t, l)
	if f.lmtp {
		return "lmtp:" + l.Addr().String()
	}
	return l.Addr().String()
}

func (f *fakeRelay) serve(t *testing.T, l net.Listener) {
	f.t, f.listener = t, l
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				f.session(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
}

// next takes the next reply of a row; standard when there are no more.
func next(row *[]string, standard string) string {
	if len(*row) == 0 {
		return standard
	}
	reply := (*row)[0]
	*row = (*row)[1:]
	return reply
}

// dropHere says whether the connection ends at this verb.
func (f *fakeRelay) dropHere(verb string) bool {
	if f.drop[verb] == 0 {
		return false
	}
	f.drop[verb]--
	return f.drop[verb] == 0
}

func (f *fakeRelay) session(c net.Conn) {
	f.mu.Lock()
	f.conns++
	f.mu.Unlock()
	br := bufio.NewReader(c)
	say := func(format string, a ...any) { fmt.Fprintf(c, format+"\r\n", a...) }
	say("220 relay.example.org")
	var from string
	var to []string
	verp, open, messages := false, false, 0 // open: MAIL was accepted
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return
		}
		line, crlf := strings.CutSuffix(line, "\r\n")
		if !crlf {
			f.t.Errorf("a command without CRLF: %q", line)
			return
		}
		verb, arg, _ := strings.Cut(line, " ")
		f.mu.Lock()
		drop := f.dropHere(verb)
		f.mu.Unlock()
		if drop {
			return
		}
		switch verb {
		case "EHLO", "LHLO":
			if f.heloOnly || (verb == "LHLO") != f.lmtp {
				say("500 what?")
				continue
			}
			lines := append([]string{"relay.example.org"}, strings.Fields(f.extensions)...)
			if f.limits != "" {
				lines = append(lines, "LIMITS "+f.limits)
			}
			if _, secret := c.(*tls.Conn); f.tls != nil && !secret {
				lines = append(lines, "STARTTLS")
			} else if secret && f.auth != "" {
				lines = append(lines, "AUTH PLAIN")
			}
			for i, l := range lines {
				sep := "-"
				if i == len(lines)-1 {
					sep = " "
				}
				say("250%s%s", sep, l)
			}
		case "STARTTLS":
			say("220 2.0.0 go")
			c = tls.Server(c, f.tls)
			br = bufio.NewReader(c)
		case "AUTH":
			if arg != "PLAIN "+f.auth {
				say("535 5.7.8 who are you?")
				continue
			}
			say("235 2.7.0 welcome")
		case "HELO":
			say("250 relay.example.org")
		case "MAIL":
			f.mu.Lock()
			f.commands = append(f.commands, line)
			reply := next(&f.mail, "250 2.1.0 ok")
			f.mu.Unlock()
			verp = strings.Contains(arg, " XVERP=+=")
			if verp && (f.refuseXVERP || !strings.Contains(f.extensions, "XVERP")) {
				reply = "555 5.5.4 Unsupported option: XVERP"
			}
			if f.perConn > 0 && messages == f.perConn {
				say("421 4.7.0 that is enough for one connection")
				return
			}
			from, to, open = arg, nil, reply[0] == '2'
			say("%s", reply)
		case "RCPT":
			address := strings.TrimSuffix(strings.TrimPrefix(arg, "TO:<"), ">")
			if !open {
				say("503 5.5.1 need MAIL")
				continue
			}
			if f.atMost > 0 && len(to) == f.atMost {
				say("%s", f.tooMany)
				continue
			}
			f.mu.Lock()
			row := f.rcpt[address]
			reply := next(&row, "250 2.1.5 ok")
			if f.rcpt != nil {
				f.rcpt[address] = row
			}
			f.mu.Unlock()
			if reply[0] == '2' {
				to = append(to, address)
			}
			say("%s", reply)
		case "DATA":
			if len(to) == 0 {
				say("554 5.5.1 no valid recipients")
				continue
			}
			say("354 go on")
			message, err := readMessage(br)
			if err != nil {
				return
			}
			messages++
			if f.hold != nil {
				f.hold(message)
			}
			f.take(say, from, to, verp, message)
			f.mu.Lock()
			drop := f.dropHere(".")
			f.mu.Unlock()
			if drop {
				return
			}
		case "RSET":
			say("250 2.0.0 ok")
		case "QUIT":
			say("221 2.0.0 bye")
			return
		default:
			say("500 5.5.2 what?")
		}
	}
}

// take accepts a message, or not, and answers.
func (f *fakeRelay) take(say func(string, ...any), mail string, to []string, verp bool, message string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	sender, _, ok := smtp.ParsePath(strings.TrimPrefix(mail, "FROM:"))
	if !ok {
		f.t.Errorf("MAIL %q", mail)
	}
	f.batches = append(f.batches, len(to))
	reply := ""
	for i, address := range to {
		if i == 0 || f.lmtp {
			reply = next(&f.final, "250 2.0.0 taken")
		}
		if reply[0] == '2' {
			p, _ := smtp.ParseAddress(address)
			from := sender
			if verp {
				from = lists.MemberBounceAddress(from, p)
			}
			d := delivered{from.Address(), address, message}
			f.got = append(f.got, d)
			if f.received != nil {
				f.received <- d
			}
		}
		lost := f.drop["."] == 1 // it has the message, and nobody hears that
		if !lost && (f.lmtp || i == len(to)-1) {
			say("%s", reply)
		}
	}
}

// readMessage reads up to the lone dot.
func readMessage(br *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == ".\r\n" {
			return b.String(), nil
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

// seen gives what is counted: the accepted recipients of each message, and the
// connections.
func (f *fakeRelay) seen() (batches []int, conns int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]int(nil), f.batches...), f.conns
}

// taken is what was accepted so far.
func (f *fakeRelay) taken() []delivered {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]delivered(nil), f.got...)
}

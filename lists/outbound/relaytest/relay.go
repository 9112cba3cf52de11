// Package relaytest is a relay for tests: a server that does as it is told.
package relaytest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"superlist/smtp"
)

// A Relay is a server. It is no smtp.Session, so that one's mistakes cannot hide the
// other's.
type Relay struct {
	t        *testing.T
	Listener net.Listener

	LMTP        bool
	HeloOnly    bool   // EHLO is refused
	Extensions  string // keywords to announce, besides the first line
	Limits      string // RFC 9422, to announce
	AtMost      int    // recipients in a transaction; 0: any number
	TooMany     string // what the next one hears
	RefuseXVERP bool   // announced, and refused with 555 at MAIL
	TLS         *tls.Config
	Auth        string // what AUTH PLAIN must be; empty: not offered

	Hold     func(message string) // before a message is answered
	Received chan Delivered       // hears what is accepted, where it is set

	Mu       sync.Mutex
	Mail     []string            // replies to MAIL, one after the other; then 250
	Rcpt     map[string][]string // … to RCPT, for each recipient
	Final    []string            // … to the message; of LMTP: for each recipient of it
	Drop     map[string]int      // verb: at which one of them the connection ends; "." is after the final dot
	PerConn  int                 // messages after which a connection gets 421; 0: any number
	got      []Delivered
	Commands []string // MAIL commands as they came
	batches  []int    // accepted recipients of each message
	conns    int
}

// A Delivered is a message that was accepted for one recipient.
type Delivered struct{ From, To, Message string }

// Start serves until the test ends, and gives the address for relay.address.
func (f *Relay) Start(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.Serve(t, l)
	if f.LMTP {
		return "lmtp:" + l.Addr().String()
	}
	return l.Addr().String()
}

func (f *Relay) Serve(t *testing.T, l net.Listener) {
	f.t, f.Listener = t, l
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
func (f *Relay) dropHere(verb string) bool {
	if f.Drop[verb] == 0 {
		return false
	}
	f.Drop[verb]--
	return f.Drop[verb] == 0
}

func (f *Relay) session(c net.Conn) {
	f.Mu.Lock()
	f.conns++
	f.Mu.Unlock()
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
		f.Mu.Lock()
		drop := f.dropHere(verb)
		f.Mu.Unlock()
		if drop {
			return
		}
		switch verb {
		case "EHLO", "LHLO":
			if f.HeloOnly || (verb == "LHLO") != f.LMTP {
				say("500 what?")
				continue
			}
			lines := append([]string{"relay.example.org"}, strings.Fields(f.Extensions)...)
			if f.Limits != "" {
				lines = append(lines, "LIMITS "+f.Limits)
			}
			if _, secret := c.(*tls.Conn); f.TLS != nil && !secret {
				lines = append(lines, "STARTTLS")
			} else if secret && f.Auth != "" {
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
			c = tls.Server(c, f.TLS)
			br = bufio.NewReader(c)
		case "AUTH":
			if arg != "PLAIN "+f.Auth {
				say("535 5.7.8 who are you?")
				continue
			}
			say("235 2.7.0 welcome")
		case "HELO":
			say("250 relay.example.org")
		case "MAIL":
			f.Mu.Lock()
			f.Commands = append(f.Commands, line)
			reply := next(&f.Mail, "250 2.1.0 ok")
			f.Mu.Unlock()
			verp = strings.Contains(arg, " XVERP=+=")
			if verp && (f.RefuseXVERP || !strings.Contains(f.Extensions, "XVERP")) {
				reply = "555 5.5.4 Unsupported option: XVERP"
			}
			if f.PerConn > 0 && messages == f.PerConn {
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
			if f.AtMost > 0 && len(to) == f.AtMost {
				say("%s", f.TooMany)
				continue
			}
			f.Mu.Lock()
			row := f.Rcpt[address]
			reply := next(&row, "250 2.1.5 ok")
			if f.Rcpt != nil {
				f.Rcpt[address] = row
			}
			f.Mu.Unlock()
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
			if f.Hold != nil {
				f.Hold(message)
			}
			f.take(say, from, to, verp, message)
			f.Mu.Lock()
			drop := f.dropHere(".")
			f.Mu.Unlock()
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
func (f *Relay) take(say func(string, ...any), mail string, to []string, verp bool, message string) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	sender, _, ok := smtp.ParsePath(strings.TrimPrefix(mail, "FROM:"))
	if !ok {
		f.t.Errorf("MAIL %q", mail)
	}
	f.batches = append(f.batches, len(to))
	reply := ""
	for i, address := range to {
		if i == 0 || f.LMTP {
			reply = next(&f.Final, "250 2.0.0 taken")
		}
		if reply[0] == '2' {
			p, _ := smtp.ParseAddress(address)
			from := sender
			if verp {
				from = smtp.VERPAddress(from, p)
			}
			d := Delivered{from.Address(), address, message}
			f.got = append(f.got, d)
			if f.Received != nil {
				f.Received <- d
			}
		}
		lost := f.Drop["."] == 1 // it has the message, and nobody hears that
		if !lost && (f.LMTP || i == len(to)-1) {
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

// Seen gives what is counted: the accepted recipients of each message, and the
// connections.
func (f *Relay) Seen() (batches []int, conns int) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	return append([]int(nil), f.batches...), f.conns
}

// Taken is what was accepted so far.
func (f *Relay) Taken() []Delivered {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	return append([]Delivered(nil), f.got...)
}

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"superlist/cmd/superlist/postfix"
	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/queue"
	"superlist/smtp"
)

// probeTime is how long each half of the way may take. A healthy host needs less than a
// second.
const probeTime = 15 * time.Second

// probe sends one message the whole way: through Postfix to an address of the list that
// no member sees; from there deliver sends it on, through the relay, to another such
// address. It reports where the message was lost.
func (k *checker) probe(door postfix.Service, list smtp.Path) {
	l, err := lists.Of(k.site).Open(list)
	told := slices.ContainsFunc(k.findings, func(f finding) bool {
		return f.Level == "error" && (strings.HasPrefix(f.About, "kick") || strings.HasPrefix(f.About, "relay"))
	})
	if err != nil || k.probed || told { // it is known where it would be lost
		return
	}
	k.probed = true
	about, began := "probe "+list.Address(), time.Now()
	to, err := l.CheckAddress(began)
	if err != nil {
		k.wrong(about, err.Error(), k.mend(err, l.Dir))
		return
	}
	taken, err := k.post(door, to, began)
	if err != nil {
		k.wrong(about, fmt.Sprintf("Postfix does not take a message at %s: %v", door.Address(), err), "the log of Postfix says why")
		return
	}
	switch relay, _ := k.site.Relay.Target(); {
	case !k.arrives(l, lists.CheckName(began, false)):
		text, mend := k.lost(queue.Inbound, to)
		if text == "" {
			text, mend = "Postfix has taken a message ("+taken+"), and superlist has not got it", "postqueue -p, and the log of Postfix, say where it is"
		}
		k.wrong(about, text, mend)
	case relay.Network == "maildir": // where nothing comes back from
		k.ok(about, "a message came through Postfix to superlist deliver in %s", took(began))
	case !k.arrives(l, lists.CheckName(began, true)):
		back, _ := l.CheckedAddress(began)
		text, mend := k.lost(queue.Outbound, back)
		if text == "" {
			text, mend = "superlist deliver has given a message to the relay, and it has not come back", "postqueue -p, and the log of the relay "+k.site.Relay.Address+", say where it is"
		}
		k.wrong(about, text, mend)
	default:
		k.ok(about, "a message went through Postfix, superlist and the relay, and came back, in %s", took(began))
	}
}

func took(since time.Time) time.Duration { return time.Since(since).Round(10 * time.Millisecond) }

// post gives Postfix a message without a sender, so that nobody is notified if it is
// lost.
func (k *checker) post(door postfix.Service, to smtp.Path, began time.Time) (taken string, err error) {
	text := lists.CheckMessage(smtp.Path{Local: "postmaster", Domain: k.site.Hostname}, to, lists.CheckName(began, false), k.site.Hostname, began)
	err = k.ask("tcp", door.Address(), frontDoorTimeout, func(_ string, c *smtp.Client) error {
		reply := c.Send(&smtp.Transaction{To: []smtp.Rcpt{{Path: to}}, Size: int64(len(text)), Message: strings.NewReader(text)})[0]
		if reply.Code/100 != 2 {
			return reply
		}
		taken = reply.String()
		return nil
	})
	return taken, err
}

// arrives waits until deliver has seen the message, and reports whether it has.
func (k *checker) arrives(l *lists.List, name string) bool {
	for by := time.Now().Add(probeTime); ; time.Sleep(20 * time.Millisecond) {
		if _, there, err := l.Book().Recall(ledger.Checks, name, time.Now()); err != nil || there {
			return there
		}
		if time.Now().After(by) || k.ctx.Err() != nil {
			return false
		}
	}
}

// lost looks for a message in the spool.
func (k *checker) lost(box queue.Box, to smtp.Path) (text, mend string) {
	s := k.site.Spool()
	entries, err := s.List(box)
	if err != nil {
		return "", ""
	}
	for i := range entries {
		m, err := s.Peek(box, entries[i])
		if err != nil {
			continue // it has gone
		}
		for rcpt, rerr := range m.Recipients() {
			if rerr == nil && strings.EqualFold(rcpt.Path.Address(), to.Address()) {
				text = fmt.Sprintf("a message has come in, and waits (%s)", entries[i].ID)
				mend = "nothing starts superlist deliver: see docs/launchers.md"
				if box == queue.Outbound {
					text, mend = fmt.Sprintf("the relay has not taken a message (%s)", entries[i].ID), "superlist queue ls says why"
				}
			}
		}
		m.Close()
	}
	return text, mend
}

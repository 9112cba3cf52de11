package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"superlist/e2e/figures"
	"superlist/lists"
	"superlist/lists/ledger/files"
	sites "superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

const (
	manyReports = 10_000
	// wantReports is how many are to be worked on in a second.
	wantReports = 2000
)

// bounces looks at how fast delivery reports are worked on, each about another member, and
// what they cost where there are more members, and more that is known already.
func (b *bench) bounces() error {
	fmt.Printf("\n%d delivery reports, each about another member of one list\n", manyReports)
	few, err := b.reports("bounces-few", manyReports+1, 0)
	if err != nil {
		return err
	}
	many, err := b.reports("bounces-many", 100_000, 2)
	if err != nil {
		return err
	}
	rate := float64(manyReports) / few.Seconds()
	fmt.Printf("  %-58s %6.0f/s    %s\n", fmt.Sprintf("with %d members", manyReports), rate,
		b.note(figures.Figure{What: "delivery reports", Unit: "a second", Ours: rate, Want: wantReports, More: true}))
	f := figures.Figure{What: fmt.Sprintf("%d delivery reports, of 100000 members, 20000 reports before", manyReports), Unit: "ms", Ours: inMS(many),
		Peer: fmt.Sprintf("of %d members", manyReports+1), Theirs: inMS(few), Ratio: many.Seconds() / few.Seconds(), Want: 1.5}
	fmt.Printf("  %-58s %6.2f times  %s\n", "with 100000 members, and 20000 reports before", f.Ratio, b.note(f))
	return nil
}

// reports has deliver work on reports, after as many of others were worked on so many
// times, and gives how long it took.
func (b *bench) reports(name string, members, before int) (took time.Duration, err error) {
	s, err := b.newSite(name, siteOptions{log: "none", members: members, relay: "127.0.0.1:9"})
	if err != nil {
		return 0, err
	}
	for i := range before + 1 {
		if err := s.writeReports(i * manyReports); err != nil {
			return 0, err
		}
		argv := []string{b.bin + "/superlist", "-c", s.config, "deliver"}
		if i < before {
			if err := s.superlist(nil, "deliver"); err != nil {
				return 0, err
			}
			continue
		}
		start := time.Now()
		if err := b.peak("superlist deliver, "+name, 32, os.DevNull, argv...); err != nil {
			return 0, err
		}
		took = time.Since(start)
	}
	known, err := filepath.Glob(filepath.Join(s.dir, "lists", "*", "*", "bouncing", "[^.]*"))
	if err == nil && len(known) != (before+1)*manyReports {
		err = fmt.Errorf("of %d members something is known, want %d", len(known), (before+1)*manyReports)
	}
	return took, errors.Join(err, s.empty(""))
}

// writeReports puts them into the spool, as sessions do, many at a time.
func (s *site) writeReports(first int) error {
	site, err := sites.Load(s.config)
	if err != nil {
		return err
	}
	site.Ledger = files.On
	addr, _ := smtp.ParseAddress(list)
	l, err := lists.Of(site).Open(addr)
	if err != nil {
		return err
	}
	base, err := l.BounceAddress(time.Now())
	if err != nil {
		return err
	}
	if err := site.Spool().Init(); err != nil {
		return err
	}
	const writers = 32
	failed := make([]error, writers)
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := first + w; i < first+manyReports && failed[w] == nil; i += writers {
				failed[w] = writeReport(site.Spool(), base, memberName(i))
			}
		})
	}
	wait.Wait()
	return errors.Join(failed...)
}

func writeReport(spool *queue.Spool, base smtp.Path, member string) error {
	who, _ := smtp.ParseAddress(member)
	m, err := spool.Create(queue.Head{Client: "[192.0.2.1]:1 helo=mx.members.example proto=ESMTP"})
	if err != nil {
		return err
	}
	if err = m.Rcpt(smtp.Rcpt{Path: smtp.VERPAddress(base, who)}); err == nil {
		_, err = io.WriteString(m, crlf(strings.ReplaceAll(report, "MEMBER", member)))
	}
	if err != nil {
		m.Abort()
		return err
	}
	return m.Commit(queue.Inbound)
}

// report is as Postfix writes it, with the post that came back.
var report = `From: MAILER-DAEMON@mx.members.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="0123456789.123456/mx.members.example"

This is a MIME-encapsulated message.

--0123456789.123456/mx.members.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.members.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<MEMBER>: host 192.0.2.9[192.0.2.9] said: 550 5.1.1 <MEMBER>: Recipient address
    rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)

--0123456789.123456/mx.members.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.members.example
X-Postfix-Queue-ID: 0123456789
Arrival-Date: Sat, 21 Nov 2026 10:00:00 +0000 (UTC)

Final-Recipient: rfc822; MEMBER
Original-Recipient: rfc822;MEMBER
Action: failed
Status: 5.1.1
Remote-MTA: dns; 192.0.2.9
Diagnostic-Code: smtp; 550 5.1.1 <MEMBER>: Recipient address rejected: User
    unknown in virtual mailbox table

--0123456789.123456/mx.members.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

` + message() + `
--0123456789.123456/mx.members.example--
`

package migrate

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"superlist/lists/bounces"
	"superlist/lists/ledger"
	"superlist/lists/mail/bounce"
	"superlist/smtp"
)

// bounced records that mail to somebody came back before the list moved, on some days.
// The other program may have counted anything, so each day counts like a full mailbox.
func (p *Parcel) bounced(who smtp.Path, days []time.Time, words string) {
	r := bounces.Record{Address: who.Address()}
	for _, d := range days {
		r.Count(d, bounces.Reason{Class: bounce.Full, Words: words}, d)
	}
	if len(r.Days) > 0 {
		p.Bouncing = append(p.Bouncing, r)
	}
}

// suspended records that the other program sent somebody nothing because mail came
// back.
func (p *Parcel) suspended(who smtp.Path, since time.Time, words string) {
	p.Bouncing = append(p.Bouncing, bounces.Record{
		Address: who.Address(), Suspended: since.UTC(),
		History: []bounces.Event{{At: since.UTC(), What: bounces.Suspended, Why: words}},
	})
}

// sendBouncing returns the file with what is known about bouncing addresses, one a
// line.
func (p *Parcel) sendBouncing() ([]byte, error) {
	var b strings.Builder
	for _, r := range p.Bouncing {
		text, err := r.Text()
		if err != nil {
			return nil, err
		}
		if b.Len()+len(text) > maxBouncing {
			p.Report.leave(fileBouncing, "there are more addresses that bounce than a list has room for", "they begin anew")
			break
		}
		b.WriteString(text)
	}
	return []byte(b.String()), nil
}

const (
	// maxBouncing is its largest size: a hundred thousand addresses.
	maxBouncing = 32 << 20
	// bouncingAtOnce is how many are written together.
	bouncingAtOnce = 500
)

// bouncing receives that file.
func (in *receiving) bouncing(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, ledger.MaxRecord)
	texts := make(map[string]string)
	flush := func() error {
		if len(texts) == 0 || in.DryRun {
			return nil
		}
		err := in.site.Writer().Revise(in.list.Book(), ledger.Bouncing, nil, time.Now(), func(map[string]ledger.Record) (map[string]string, error) { return texts, nil })
		clear(texts)
		return err
	}
	n := 0
	for lines.Scan() {
		record := bounces.Parse(lines.Text())
		p, ok := smtp.ParseAddress(record.Address)
		if !ok {
			continue
		}
		text, err := record.Text()
		if err != nil {
			return err
		}
		texts[ledger.Hash(p.Key())] = text
		n++
		if len(texts) == bouncingAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrParcel, err)
	}
	in.bounces = n
	return flush()
}

// awaken schedules a look at the list: suspended members are probed in a week.
func (in *receiving) awaken() error {
	if in.bounces == 0 {
		return nil
	}
	if err := in.site.Spool().Init(); err != nil {
		return err
	}
	return in.site.Writer().Remind(ledger.Bounces(in.site.QueueDir), in.addr.Address(), time.Now())
}

// day parses a day, or a time, as programs write it.
func day(s string) (time.Time, bool) {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.999999", time.DateOnly} {
		if t, err := time.Parse(form, s); err == nil && t.Year() > 1990 {
			return t, true
		}
	}
	return time.Time{}, false
}

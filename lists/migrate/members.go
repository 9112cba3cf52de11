package migrate

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/members"
	"superlist/lists/textfile"
)

// Members reads a file of members into roll: lines, or a table. What is not a member
// is left in the report, by its line, and so is whoever has left elsewhere.
//
// A line is an address and our words about it, or addresses as people paste them:
// "Name <address>; Name <address>". Empty lines, and those that begin with #, are
// passed over. A table is CSV, with comma, semicolon, tab or bar, one of whose first
// lines has a column email or address; name, nomail, digest, nocopy, noown,
// once, moderated, vacation, for, lang, delivery and words are other columns, and those
// that say who has left are understood (see standing). Those in ignore are not
// looked at. What is not UTF-8 is UTF-16, or read as Windows-1252, which has all of
// Latin-1.
func Members(name string, r io.Reader, ignore []string, roll *members.Roster, report *Report, step func(done int)) error {
	r, err := plain(r)
	if err != nil {
		return err
	}
	br := bufio.NewReaderSize(r, maxLine)
	in := &roster{name: name, ignore: ignore, roll: roll, report: report, step: step}
	head, _ := br.Peek(maxLine)
	if t := tableOf(head); t != nil {
		for range t.title { // what stands above the heads: a title, or Excel's sep=
			br.ReadSlice('\n')
			report.Blank++
		}
		return in.table(br, t)
	}
	return eachLine(br, '\n', in.line)
}

// plain is a file as textfile.Plain has it. What is in UTF-16 is read at once: a
// spreadsheet has written it.
func plain(r io.Reader) (io.Reader, error) {
	br := bufio.NewReader(r)
	switch begin, _ := br.Peek(2); {
	case len(begin) == 2 && (begin[0] == 0xff && begin[1] == 0xfe || begin[0] == 0xfe && begin[1] == 0xff || (begin[0] == 0) != (begin[1] == 0)):
		text, err := io.ReadAll(io.LimitReader(br, maxWide+1))
		if err == nil && len(text) > maxWide {
			err = fmt.Errorf("more than %d MiB in UTF-16; have it written as UTF-8", maxWide>>20)
		}
		return bytes.NewReader(textfile.Plain(text)), err
	}
	if begin, _ := br.Peek(3); bytes.Equal(begin, []byte("\ufeff")) {
		br.Discard(3)
	}
	return &lineEnds{r: br}, nil
}

// maxWide is the largest file in UTF-16: more rows than a spreadsheet has.
const maxWide = 256 << 20

// lineEnds makes LF of CRLF, and of the CR of an old Macintosh.
type lineEnds struct {
	r  io.Reader
	cr bool // the last byte was one
}

func (e *lineEnds) Read(p []byte) (int, error) {
	for {
		n, err := e.r.Read(p)
		out := p[:0]
		for _, c := range p[:n] {
			if c == '\r' {
				out = append(out, '\n')
			} else if c != '\n' || !e.cr {
				out = append(out, c)
			}
			e.cr = c == '\r'
		}
		if len(out) > 0 || err != nil || len(p) == 0 {
			return len(out), err
		}
	}
}

type roster struct {
	name   string
	ignore []string
	roll   *members.Roster
	report *Report
	step   func(done int)
}

func (in *roster) at(n int) {
	if in.step != nil {
		in.step(n)
	}
}

// bad leaves a line.
func (in *roster) bad(n int, why string) {
	in.report.leaveLine(in.name, n, why)
	in.report.Bad++
}

// add puts a member in, and tells of words that mean nothing: they stay, as those
// of a newer version would have to.
func (in *roster) add(n int, m members.Member) {
	in.roll.Add(m)
	if word := m.Unknown(); word != "" {
		in.report.leaveLine(in.name, n, short(word)+" behind "+m.Path.Address()+" means nothing to this version; it stays there")
	}
}

// gone leaves somebody who has left elsewhere, or never said yes.
func (in *roster) gone(n int, who, why string) {
	in.report.leaveLine(in.name, n, short(who)+" is left out: "+why)
	in.report.Lines++
	in.report.Out++
}

func (in *roster) line(n int, raw []byte, long bool) {
	in.at(n)
	text := strings.TrimSpace(decoded(raw))
	if !long && (text == "" || text[0] == '#') {
		in.report.Blank++
		return
	}
	if long {
		in.bad(n, short(text)+" is too long for a line")
		return
	}
	members, why := Entries(text)
	if why != "" {
		in.bad(n, why)
		return
	}
	in.report.Lines++
	for _, m := range members {
		in.add(n, m)
	}
}

// decoded is text of a file that does not say in what it is written.
func decoded(raw []byte) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(raw)
	if err != nil {
		return string(raw)
	}
	return string(text)
}

// Enrol puts the members of a roll onto a list, and says in the report how many
// are new. With DryRun it says it and does nothing.
func (r *Report) Enrol(l *lists.List, roll *members.Roster) (err error) {
	r.Twice += roll.Join(unite)
	if !r.DryRun {
		r.Members, err = edit.Enrol(l, roll)
	} else if r.There, err = countThere(l, roll); err == nil {
		r.Members = roll.Len() - r.There
	}
	r.There = roll.Len() - r.Members
	return err
}

// LeaveOut takes out of a roll who has left the list and is not a member now, and says
// so: nobody comes back because somebody has found an old file.
func (r *Report) LeaveOut(l *lists.List, roll *members.Roster) error {
	r.Twice += roll.Join(unite)
	left, err := l.Leavers()
	if err != nil || left.Len() == 0 {
		return err
	}
	file, err := l.Members()
	if err != nil {
		return err
	}
	defer file.Close()
	roll.Drop(func(m members.Member) bool {
		day, gone := left.Day(m.Path)
		if !gone || err != nil {
			return false
		}
		var there bool
		if _, there, err = file.Find(m.Path); there || err != nil {
			return false
		}
		r.leave(m.Path.Address(), "left "+l.Addr.Address()+" on "+day, "--again brings them back, if they want that")
		r.Out++
		return true
	})
	return err
}

package moving

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"superlist/lists"
	"superlist/mail/charset"
	"superlist/smtp"
)

// Members reads a file of members into roll: lines, or a table. What is no
// member is left in the report, by its line.
//
// A line is an address and our words about it, or "Name <address>" and words.
// Empty lines, and those that begin with #, are passed over. A table is CSV, with
// comma, semicolon or tab, whose first line has a column email or address; name,
// nomail, digest, nocopy, noown, moderated, vacation, for, lang, delivery and words
// are other columns. What is not UTF-8 is read as Windows-1252, which has all of
// Latin-1.
func Members(name string, r io.Reader, roll *lists.Roll, report *Report, step func(done int)) error {
	br := bufio.NewReaderSize(r, maxLine)
	// A byte order mark says nothing.
	if mark, _ := br.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		br.Discard(3)
	}
	in := &roster{name: name, roll: roll, report: report, step: step}
	head, _ := br.Peek(maxLine)
	if comma, columns := tableOf(head); columns != nil {
		return in.table(br, comma, columns)
	}
	return eachLine(br, '\n', in.line)
}

type roster struct {
	name   string
	roll   *lists.Roll
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
func (in *roster) add(n int, m lists.Member) {
	in.roll.Add(m)
	in.report.Lines++
	if word := m.Unknown(); word != "" {
		in.report.leaveLine(in.name, n, short(word)+" behind "+m.Path.Address()+" means nothing to this version; it stays there")
	}
}

func (in *roster) line(n int, raw []byte, long bool) {
	in.at(n)
	text := strings.TrimSpace(decoded(raw))
	if !long && (text == "" || text[0] == '#') {
		in.report.Blank++
		return
	}
	m, ok := lists.ParseMember(text)
	if ok = ok && !long; ok && m.Unknown() == "" {
		in.add(n, m)
		return
	}
	if end := strings.LastIndexByte(text, '>'); end >= 0 && !long {
		name, address := splitName(text[:end+1])
		_, bare := smtp.ParseAddress(address)
		if m, ok := member(address, append(strings.Fields(text[end+1:]), named(name)...)...); ok && bare {
			in.add(n, m)
			return
		}
	}
	if !ok {
		in.bad(n, short(text)+" is not an address")
		return
	}
	in.add(n, m)
}

// splitName takes "Name <address>" apart. The name is as a person reads it.
func splitName(s string) (name, address string) {
	begin := strings.LastIndexByte(s, '<')
	if begin < 0 || !strings.HasSuffix(s, ">") {
		return "", s
	}
	name, address = strings.TrimSpace(s[:begin]), s[begin+1:len(s)-1]
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		name = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(name[1 : len(name)-1])
	}
	return charset.Words(name), address
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

// columns of a table, by their heads. The first of each is what it is called
// here.
var columnNames = map[string][]string{
	"email":       {"email", "address", "e-mail", "mail", "email address", "e-mail address", "subscriber", "email_address"},
	"name":        {"name", "display_name", "display name", "realname", "real name", "full name", "fullname"},
	"first":       {"first name", "firstname", "first_name", "given name"},
	"last":        {"last name", "lastname", "last_name", "surname", "family name"},
	"words":       {"words", "options"},
	"delivery":    {"delivery", "delivery_mode", "delivery mode"},
	"vacation":    {"vacation"},
	"for":         {"for", "alias", "alias_of"},
	"lang":        {"lang", "language"},
	wordNoMail:    {wordNoMail, "no mail"},
	wordDigest:    {wordDigest},
	wordNoCopy:    {wordNoCopy},
	wordNoOwn:     {wordNoOwn, "notmetoo"},
	wordModerated: {wordModerated},
}

// tableOf says with what the columns of a table are parted, and what they are;
// nil where the file is no table.
func tableOf(head []byte) (comma rune, columns []string) {
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	for _, comma := range ",;\t" {
		r := csv.NewReader(strings.NewReader(decoded(line)))
		r.Comma, r.TrimLeadingSpace = comma, true
		heads, err := r.Read()
		if err != nil {
			continue
		}
		columns := make([]string, len(heads))
		for i, head := range heads {
			head = strings.ToLower(strings.TrimSpace(head))
			columns[i] = "?" + head
			for column, names := range columnNames {
				if slices.Contains(names, head) {
					columns[i] = column
				}
			}
		}
		if slices.Contains(columns, "email") {
			return comma, columns
		}
	}
	return 0, nil
}

func (in *roster) table(r io.Reader, comma rune, columns []string) error {
	d := csv.NewReader(r)
	d.Comma, d.FieldsPerRecord, d.TrimLeadingSpace, d.ReuseRecord = comma, -1, true, true
	d.Read() // the heads
	in.report.Blank++
	for _, column := range columns {
		if head, unknown := strings.CutPrefix(column, "?"); unknown && head != "" {
			in.report.leave(in.name+":1", "the column "+short(head)+" is nothing that a member has here", "")
		}
	}
	for {
		record, err := d.Read()
		if err == io.EOF {
			return nil
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			in.bad(broken.StartLine, fmt.Sprintf("the line, up to line %d, is no CSV: %v", broken.Line, broken.Err))
			continue
		}
		if err != nil {
			return err
		}
		n, _ := d.FieldPos(0)
		in.at(n)
		in.record(n, record, columns)
	}
}

func (in *roster) record(n int, record []string, columns []string) {
	has := make(map[string]string, len(columns))
	for i, value := range record {
		value = strings.TrimSpace(decoded([]byte(value)))
		switch {
		case value == "":
		case i >= len(columns):
			in.report.leaveLine(in.name, n, short(value)+" stands in no column")
		case has[columns[i]] == "":
			has[columns[i]] = value
		}
	}
	if len(has) == 0 {
		in.report.Blank++
		return
	}
	var words []string
	for _, word := range []string{wordNoMail, wordDigest, wordNoCopy, wordNoOwn, wordModerated} {
		switch strings.ToLower(has[word]) {
		case "", "0", "no", "n", "false", "off", "-":
		case "1", "yes", "y", "true", "on", "x", word:
			words = append(words, word)
		default:
			in.bad(n, short(has[word])+" in the column "+word+" is neither yes nor no")
			return
		}
	}
	switch strings.ToLower(has["delivery"]) {
	case "", "regular", "each", "mail", "enabled":
	case wordNoMail, "none", "disabled":
		words = append(words, wordNoMail)
	case wordDigest, "digests", "mime_digests", "plaintext_digests", "summary_digests":
		words = append(words, wordDigest)
	default:
		in.bad(n, short(has["delivery"])+" in the column delivery is neither regular, digest nor nomail")
		return
	}
	for _, key := range []string{"vacation", "for", "lang"} {
		if has[key] != "" {
			words = append(words, key+"="+has[key])
		}
	}
	also, nameWord, _ := strings.Cut(" "+has["words"], " name=")
	for _, word := range strings.Fields(also) {
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	inAddress, address := splitName(has["email"])
	name := cmp.Or(has["name"], nameWord)
	if name == "" {
		name = strings.TrimSpace(has["first"] + " " + has["last"])
	}
	if name == "" {
		name = inAddress
	}
	m, ok := member(address, append(words, named(name)...)...)
	if _, bare := smtp.ParseAddress(address); !ok || !bare {
		in.bad(n, short(has["email"])+" is not an address")
		return
	}
	in.add(n, m)
}

// Enrol puts the members of a roll onto a list, and says in the report how many
// are new. With DryRun it says it and does nothing.
func (r *Report) Enrol(l *lists.List, roll *lists.Roll) (err error) {
	lines := roll.Len()
	roll.Join(unite)
	if !r.DryRun {
		r.Members, err = l.Enrol(roll)
	} else if r.There, err = countThere(l, roll); err == nil {
		r.Members = roll.Len() - r.There
	}
	r.There = lines - r.Members
	return err
}

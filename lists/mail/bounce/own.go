package bounce

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Words are rows that a postmaster adds to words.txt. They come first: a row that fits
// a host's words decides, whatever the codes and the package's own rows say. A nil
// *Words has no rows.
type Words struct{ rows *table }

const (
	// MaxWords is the largest file of rows: as long as words.txt.
	MaxWords = 64 << 10
	// minWords is the shortest text of a row. A shorter one would fit anything.
	minWords = 4
)

// ParseWords parses rows. A row is a class, which may be unknown too, white space, and
// words as a host writes them; * stands for up to 60 bytes of anything. Blank lines and
// those that begin with # are ignored. Its errors are Mistakes.
func ParseWords(text []byte) (*Words, error) {
	w := &Words{newTable()}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		row, err := parseRow(strings.TrimSpace(string(line)))
		if err != nil {
			return nil, &Mistake{n, err.Error()}
		}
		if row.pieces != nil {
			w.rows.add(row)
		}
	}
	return w, nil
}

// A Mistake is a row that cannot be parsed.
type Mistake struct {
	Line int
	Text string
}

func (m *Mistake) Error() string { return fmt.Sprintf("line %d: %s", m.Line, m.Text) }

// parseRow parses a line; one without content yields an empty row.
func parseRow(line string) (r row, err error) {
	line = strings.TrimPrefix(line, "\ufeff")
	if line == "" || line[0] == '#' {
		return r, nil
	}
	fields := strings.Fields(line)
	r.class = fields[0]
	if !ranked(Class(r.class)) {
		return r, fmt.Errorf("%.20q is not a class: write gone, full, content, policy, temporary or unknown, followed by the words of the host", r.class)
	}
	length := 0
	for _, text := range strings.Split(" "+strings.Join(fields[1:], "  ")+" ", " * ") {
		p := piece{text: strings.TrimSpace(text)}
		p.text, p.open = strings.CutSuffix(p.text, "*")
		if p.text = normal(p.text); p.text == "" {
			return r, fmt.Errorf("words are missing: there must be some after the class and on both sides of each *, and a code alone is not enough")
		}
		length += len(p.text)
		r.pieces = append(r.pieces, p)
	}
	if length < minWords {
		return r, fmt.Errorf("%.40q would fit nearly everything: write at least %d letters", strings.Join(fields[1:], " "), minWords)
	}
	return r, nil
}

// mildness lists the classes, the mildest first.
var mildness = [...]Class{Unknown, Temporary, Policy, Content, Full, Gone}

func ranked(c Class) bool {
	for _, m := range mildness {
		if m == c {
			return true
		}
	}
	return false
}

// class returns the mildest class among the rows that fit a host's words; "" if no row
// fits.
func (w *Words) class(text string) Class {
	if w == nil {
		return ""
	}
	v := w.rows.judge(normal(text))
	for _, c := range mildness {
		if v.said[string(c)] {
			return c
		}
	}
	return ""
}

// Classify is like the function Classify, but these rows come first.
func (w *Words) Classify(code int, enhanced, text string) Class {
	if c := w.class(text); c != "" {
		return c
	}
	return Classify(code, enhanced, text)
}

// plainly is like the function plainly, but these rows come first.
func (w *Words) plainly(text string) Class {
	if c := w.class(text); c != "" {
		return c
	}
	return plainly(text)
}

// Read is like the function Read, but these rows come first.
func (w *Words) Read(r io.Reader) (Report, error) {
	message, err := io.ReadAll(io.LimitReader(r, MaxSize))
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	return w.Parse(message), err
}

// Parse is like the function Parse, but these rows come first.
func (w *Words) Parse(message []byte) Report {
	m := readMessage(message[:min(len(message), MaxSize)])
	m.words = w
	report := m.report()
	if report.Recipients == nil {
		report.Recipients = []Recipient{}
	}
	report.To = m.to()
	return report
}

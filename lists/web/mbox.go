package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"mime"
	"strings"
	"sync"

	"superlist/lists"
	"superlist/lists/archive"
)

// The values of web_mbox.
const (
	MBoxOff    = lists.WebOff
	MBoxVeiled = lists.WebVeiled
	MBoxFull   = lists.WebFull
)

// mboxFrom begins a message in an mbox: without anybody's address, and without a date
// that could be taken for a real one.
const mboxFrom = "From mboxrd@z Thu Jan  1 00:00:00 1970\n"

// member returns a post as a gzip member of its own: several in a row make one file
// (RFC 1952, 2.2).
func (l *List) member(e archive.Entry, message []byte, parent *archive.Entry) []byte {
	var b bytes.Buffer
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(&b)
	z.Write(l.mboxMessage(e, message, parent))
	z.Close()
	return b.Bytes()
}

// zippers take nearly a megabyte each.
var zippers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// mboxMessage returns a post in mboxrd format, as sent or veiled.
func (l *List) mboxMessage(e archive.Entry, message []byte, parent *archive.Entry) []byte {
	if l.MBox != MBoxFull {
		message = l.veiled(e, message, parent)
	}
	var b bytes.Buffer
	b.WriteString(mboxFrom)
	header := true
	for line := range bytes.Lines(message) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if header = header && len(line) > 0; header && !keptInMBox(line) {
			continue
		}
		if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
			b.WriteByte('>')
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// keptInMBox reports whether to keep a line of a header: programs would take some
// fields for the length or the state of a message in their own mailbox.
func keptInMBox(line []byte) bool {
	name, _, _ := bytes.Cut(line, []byte(":"))
	switch strings.ToLower(string(name)) {
	case "lines", "bytes", "content-length", "status", "x-status":
		return false
	}
	return true
}

// veiled returns a post without people's addresses: its author's name, date, subject
// and text. It is a message of its own, whose Message-ID has the post's number.
func (l *List) veiled(e archive.Entry, message []byte, parent *archive.Entry) []byte {
	var b bytes.Buffer
	put := func(name, value string) { fmt.Fprintf(&b, "%s: %s\n", name, value) }
	it := l.item(e, l.Base)
	header, _ := split(message)
	date := header.Get("Date")
	if strings.ContainsFunc(date, func(c rune) bool { return c < ' ' || c > '~' || c == '@' }) || date == "" {
		date = e.Time.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700")
	}
	put("From", encodeWords(it.Author)+" <"+l.Address()+">")
	put("Date", date)
	put("Subject", encodeWords(it.Subject))
	put("Message-ID", l.numberID(e.Number))
	if parent != nil {
		put("In-Reply-To", l.numberID(parent.Number))
	}
	put("List-Id", "<"+l.Name+"."+l.Domain+">")
	put("Archived-At", "<"+l.PostURL(e.Number)+">")
	b.WriteString("MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n")
	list, _ := partsOf(message)
	show := shown(list)
	room := maxText
	for _, p := range list {
		if !show[p.Number] || room <= 0 {
			continue
		}
		text, _ := p.Text()
		text = clip(text, room)
		room -= len(text)
		b.WriteString(strings.TrimRight(l.veil(strings.ReplaceAll(text, "\x00", "")), "\n") + "\n")
	}
	return b.Bytes()
}

// numberID returns a Message-ID that only contains the post's number.
func (l *List) numberID(n int) string { return fmt.Sprintf("<%d@%s.%s>", n, l.Name, l.Domain) }

// encodeWords encodes a one-line text for a header.
func encodeWords(s string) string {
	s = oneLine(s)
	if strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' }) {
		return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", s), " ", "\n ")
	}
	return strings.NewReplacer("<", "(", ">", ")", "\"", "'").Replace(s)
}

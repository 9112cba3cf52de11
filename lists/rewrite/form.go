package rewrite

import "bytes"

// MaxLine is the most octets that a line of a message may have, without its CRLF:
// RFC 5322, 2.1.1, and RFC 5321, 4.5.3.1.6. Many servers refuse longer ones (Exim,
// OpenSMTPD, chasquid), and Postfix breaks them on the way out, and with them the
// author's signature.
const MaxLine = 998

// NoField is the first line of a header that is not a field and continues none, and
// its number from 1 on: a line without a colon or with something else than a name
// in front of it, the "From " line of a mailbox file, a name that is folded before
// its colon, a first line that begins with a space. n is 0 where there is none.
//
// Some programs end the header there, some pass over the line, and some join it to
// the one before (RFC 5322, 2.2): each sees another message.
func (h Header) NoField() (n int, line []byte) {
	n = 1
	for _, f := range h {
		if f.Name == "" {
			line, _, _ = bytes.Cut(f.Raw, []byte("\r\n"))
			return n, line
		}
		n += bytes.Count(f.Raw, []byte("\r\n"))
	}
	return 0, nil
}

// Fold is the header with the lines that are longer than MaxLine folded where they
// have white space: RFC 5322, 2.2.3. A signature whose header is relaxed (RFC 6376,
// 3.4.2) stays good. ok is false where nothing is too long, or something has no such
// place; the header is then as it was.
func (h Header) Fold() (folded Header, ok bool) {
	for i, f := range h {
		if len(f.Raw) <= MaxLine || f.Name == "" {
			continue
		}
		raw, long := fold(f.Raw)
		if raw == nil {
			return h, false
		}
		if long {
			if !ok {
				folded, ok = append(Header(nil), h...), true
			}
			folded[i].Raw = raw
		}
	}
	if !ok {
		return h, false
	}
	return folded, true
}

// fold folds a field; nil where it cannot be.
func fold(raw []byte) (folded []byte, long bool) {
	place := bytes.IndexByte(raw, ':') + 1 // the first, in the first line
	for line := range bytes.SplitAfterSeq(raw, []byte("\r\n")) {
		for len(bytes.TrimSuffix(line, []byte("\r\n"))) > MaxLine {
			at := bytes.LastIndexAny(line[:MaxLine+1], " \t")
			if at < place || len(bytes.TrimSpace(line[:max(at, 0)])) == 0 || len(bytes.TrimSpace(line[at:])) == 0 {
				return nil, false // a line of white space alone is none: RFC 5322, 3.2.2
			}
			folded = append(append(folded, line[:at]...), "\r\n"...)
			line, place, long = line[at:], 0, true
		}
		folded, place = append(folded, line...), 0
	}
	return folded, long
}

// Lines measures the lines of a message that is written to it.
type Lines struct {
	number  int // of lines that have ended
	octets  int // of the one that has not, its CR included
	cr      bool
	long    int // the number of the first that is longer than MaxLine; 0: none is
	longest int // its octets
}

// Write looks at the next bytes of the message. It never fails.
func (l *Lines) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0 && l.longest == 0; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			l.octets += len(rest)
			l.cr = rest[len(rest)-1] == '\r'
			break
		}
		octets := l.octets + i
		if i > 0 && rest[i-1] == '\r' || i == 0 && l.cr {
			octets--
		}
		l.number++
		if octets > MaxLine {
			l.long, l.longest = l.number, octets
		}
		l.octets, l.cr, rest = 0, false, rest[i+1:]
	}
	return len(p), nil
}

// Long is the number of the first line that is longer than MaxLine, from 1 on, and
// its octets; 0 where there is none.
func (l *Lines) Long() (number, octets int) {
	if l.longest == 0 && l.octets > MaxLine { // the last line, which has no end
		return l.number + 1, l.octets
	}
	return l.long, l.longest
}

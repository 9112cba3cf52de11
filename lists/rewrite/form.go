package rewrite

import "bytes"

// MaxLine is the longest line of a message in octets, without its CRLF: RFC 5322,
// 2.1.1, and RFC 5321, 4.5.3.1.6. Many servers refuse longer ones (Exim, OpenSMTPD,
// chasquid), and Postfix breaks them when sending, which breaks the author's signature.
const MaxLine = 998

// NoField returns the first line of a header that is neither a field nor the
// continuation of one, and its number from 1 on: a line without a colon or with
// something other than a name before it, the "From " line of a mailbox file, a name
// that is folded before its colon, or a first line that begins with a space. n is 0 if
// there is none.
//
// At such a line some programs end the header, some skip it, and some join it to the
// line before (RFC 5322, 2.2): each sees a different message.
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

// Fold returns the header with the lines longer than MaxLine folded at white space: RFC
// 5322, 2.2.3. A signature with a relaxed header (RFC 6376, 3.4.2) stays valid. ok is
// false if nothing is too long, or if a line has no place to fold; the header is then
// unchanged.
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

// fold folds a field; nil if that is impossible.
func fold(raw []byte) (folded []byte, long bool) {
	place := bytes.IndexByte(raw, ':') + 1 // the first place, on the first line
	for line := range bytes.SplitAfterSeq(raw, []byte("\r\n")) {
		for len(bytes.TrimSuffix(line, []byte("\r\n"))) > MaxLine {
			at := bytes.LastIndexAny(line[:MaxLine+1], " \t")
			if at < place || len(bytes.TrimSpace(line[:max(at, 0)])) == 0 || len(bytes.TrimSpace(line[at:])) == 0 {
				return nil, false // a line of white space only is not allowed: RFC 5322, 3.2.2
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
	octets  int // of the current line, its CR included
	cr      bool
	long    int // number of the first line longer than MaxLine; 0: none
	longest int // its octets
}

// Write measures the next bytes of the message. It never fails.
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

// Long returns the number of the first line longer than MaxLine, from 1 on, and its
// octets; 0 if there is none.
func (l *Lines) Long() (number, octets int) {
	if l.longest == 0 && l.octets > MaxLine { // the last line, without an end
		return l.number + 1, l.octets
	}
	return l.long, l.longest
}

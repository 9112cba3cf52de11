package edit

import (
	"strings"

	"superlist/lists/mail/charset"
)

// A shift is the state of a character set with states: RFC 1468 (ISO-2022-JP), RFC 1843
// (HZ). Text is inserted in the ASCII state.
type shift struct {
	kind byte // 'j', 'h', or 0 if the set has no states
	seen string
	wide bool // what follows is not ASCII
}

func shiftOf(label string) byte {
	switch {
	case charset.ASCII(label) || charset.Wide(label):
		return 0
	case strings.HasPrefix(label, "iso-2022-jp") || label == "csiso2022jp":
		return 'j'
	case strings.HasPrefix(label, "hz"):
		return 'h'
	}
	return 0
}

// next takes the next byte, and reports whether it is ASCII.
func (s *shift) next(c byte) bool {
	switch s.kind {
	case 'j':
		switch {
		case c == 0x1b:
			s.seen = "\x1b"
			return false
		case s.seen == "":
			return !s.wide
		}
		s.seen += string(c)
		if len(s.seen) < 3 || s.seen == "\x1b$(" {
			return false
		}
		s.wide = s.seen != "\x1b(B"
		s.seen = ""
		return false
	case 'h':
		if s.seen == "~" {
			s.seen = ""
			switch c {
			case '{':
				s.wide = true
			case '}':
				s.wide = false
			}
			return false
		}
		if c == '~' {
			s.seen = "~"
			return false
		}
		if c == '\n' {
			s.wide = false
		}
		return !s.wide
	}
	return true
}

// reset returns what switches back to ASCII.
func (s *shift) reset() string {
	switch {
	case s.wide && s.kind == 'j':
		return "\x1b(B"
	case s.wide && s.kind == 'h':
		return "~}"
	}
	return ""
}

package charset

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Encode converts a text to the character set label; ok is false if that cannot express
// it, or is unknown. Unlike Text it takes labels literally: one that means ASCII gets
// ASCII. The result begins and ends in the state in which a line does (ISO-2022-JP,
// HZ), so that it can be inserted into other text. UTF-16 gets no byte order mark.
func Encode(label, s string) (b []byte, ok bool) {
	if label = plain(label); label == "" || isUS(label) {
		return []byte(s), isASCII(s)
	}
	if label == "utf-8" || label == "utf8" {
		return []byte(s), utf8.ValidString(s)
	}
	enc := exact(label)
	if enc == nil {
		return nil, false
	}
	b, err := enc.NewEncoder().Bytes([]byte(s))
	if err != nil {
		return nil, false
	}
	if back, err := enc.NewDecoder().Bytes(b); err != nil || string(back) != s {
		return nil, false
	}
	switch {
	case strings.HasPrefix(label, "iso-2022-jp"):
		if i := strings.LastIndexByte(string(b), 0x1b); i >= 0 && !strings.HasPrefix(string(b[i:]), "\x1b(B") {
			b = append(b, "\x1b(B"...)
		}
	case strings.HasPrefix(label, "hz"):
		if strings.LastIndex(string(b), "~{") > strings.LastIndex(string(b), "~}") {
			b = append(b, "~}"...)
		}
	}
	return b, true
}

// ASCII reports whether ASCII bytes always mean ASCII in this character set, so that
// ASCII can be searched in it.
func ASCII(label string) bool {
	label = plain(label)
	return label == "" || isUS(label) || label == "utf-8" || label == "utf8" ||
		exact(label) != nil && !Wide(label) && !strings.HasPrefix(label, "iso-2022-") && !strings.HasPrefix(label, "hz")
}

// Wide reports whether each character takes two bytes or more, including a line end.
func Wide(label string) bool {
	return strings.HasPrefix(plain(label), "utf-16") || strings.HasPrefix(plain(label), "utf-32") || strings.HasPrefix(plain(label), "ucs-")
}

func plain(label string) string { return strings.ToLower(strings.Trim(label, " \t\r\n\"'")) }

// isUS reports whether a label is one of US-ASCII's, as IANA lists them. Browsers read them
// as Windows-1252.
func isUS(label string) bool {
	switch label {
	case "us-ascii", "ascii", "iso-ir-6", "ansi_x3.4-1968", "ansi_x3.4-1986", "iso_646.irv:1991", "iso646-us", "us", "ibm367", "cp367", "csascii":
		return true
	}
	return false
}

// exact is find, for encoding: browsers read ISO-8859-1 as Windows-1252, which has
// characters that no other program expects there.
func exact(label string) encoding.Encoding {
	switch label {
	case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1", "l1", "iso_8859-1:1987", "iso-ir-100", "ibm819", "cp819", "csisolatin1":
		return charmap.ISO8859_1
	case "iso-8859-9", "iso8859-9", "latin5", "iso_8859-9", "iso_8859-9:1989", "iso-ir-148", "l5", "csisolatin5":
		return charmap.ISO8859_9
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case "utf-16", "unicode-1-1-utf-7", "utf-7", "utf-32", "utf-32le", "utf-32be", "x-user-defined":
		return nil // the caller would have to know the byte order, or the state
	}
	if strings.HasPrefix(label, "ibm037") || strings.HasPrefix(label, "ibm10") || strings.HasPrefix(label, "cp037") || strings.HasPrefix(label, "cp10") || strings.HasPrefix(label, "ebcdic") {
		return nil // not a superset of ASCII
	}
	return find(label)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Package charset converts bytes in any character set into UTF-8 for people: the text
// of a mail, and the encoded words of its header (RFC 2047).
//
// It never fails. Damaged text, or text in an unknown character set, becomes as
// readable as possible, and always valid UTF-8. The package does not remove control
// characters: whoever writes to a terminal or into a header must do that.
package charset

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Text converts b from the character set label to UTF-8. The label may be empty,
// unknown or wrong.
func Text(label string, b []byte) string {
	enc := find(label)
	if enc == nil {
		return guess(b)
	}
	decoded, err := enc.NewDecoder().Bytes(b)
	if err != nil || strings.ContainsRune(string(decoded), utf8.RuneError) && utf8.Valid(b) {
		return guess(b) // the label is wrong
	}
	return strings.ToValidUTF8(string(decoded), "\uFFFD")
}

// guess reads valid UTF-8 as such, and each other byte as Windows-1252, the most
// frequent character set of mail without a label that is not UTF-8.
func guess(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(b[0])
		}
		s.WriteRune(r)
		b = b[n:]
	}
	return s.String()
}

// find returns the encoding for a label; nil for UTF-8 and unknown ones. Mail programs
// use the names that browsers know, those of IANA, and some others.
func find(label string) encoding.Encoding {
	label = strings.ToLower(strings.Trim(label, " \t\r\n\"'"))
	switch label {
	case "", "us-ascii", "utf-8": // as nearly all mail has it
		return nil
	}
	for _, name := range spellings(label) {
		if name == "us-ascii" || name == "ascii" {
			return nil // what is beyond it is a mistake, and is guessed
		}
		if enc, known := labelled(name); known {
			return enc
		}
	}
	if label == "hz-gb-2312" {
		return simplifiedchinese.HZGB2312
	}
	return nil
}

// spellings returns the names under which a label is looked up.
func spellings(label string) []string {
	names := []string{label}
	plain := strings.TrimPrefix(strings.NewReplacer("_", "-", " ", "-").Replace(label), "x-")
	names = append(names, plain)
	switch digits := strings.Trim(plain, "abcdefghijklmnopqrstuvwxyz-"); {
	case digits == "":
	case strings.HasPrefix(plain, "cp") || strings.HasPrefix(plain, "ms") || strings.HasPrefix(plain, "win"):
		switch digits { // the numbers of Microsoft's code pages
		case "932", "943":
			return append(names, "shift_jis")
		case "936":
			return append(names, "gbk")
		case "949":
			return append(names, "euc-kr")
		case "950":
			return append(names, "big5")
		case "50220", "50221", "50222":
			return append(names, "iso-2022-jp")
		case "54936":
			return append(names, "gb18030")
		case "65001":
			return append(names, "utf-8")
		}
		return append(names, "windows-"+digits, "ibm"+digits)
	case strings.HasPrefix(plain, "iso-2022-jp"):
		return append(names, "iso-2022-jp")
	case strings.HasPrefix(plain, "iso8859"), strings.HasPrefix(plain, "8859"), strings.HasPrefix(plain, "iso-8859"):
		digits = strings.Trim(strings.TrimPrefix(digits, "8859"), "-")
		number, _, _ := strings.Cut(digits, "-") // iso-8859-8-i
		return append(names, "iso-8859-"+number)
	}
	switch plain {
	case "sjis", "shiftjis", "shift-jis", "mskanji":
		names = append(names, "shift_jis")
	case "eucjp", "ujis":
		names = append(names, "euc-jp")
	case "euckr", "uhc", "ksc5601":
		names = append(names, "euc-kr")
	case "eucgb", "euc-cn", "euccn", "gb":
		names = append(names, "gbk")
	case "latin-1":
		names = append(names, "windows-1252")
	}
	return names
}

package smtp

// Xtext carries any text inside a command line: RFC 3461, 4. Each byte outside "!" to
// "~", and each "+" and "=", is written as "+" and two hexadecimal digits.

const hexDigits = "0123456789ABCDEF"

// encodeXtext encodes s as xtext.
func encodeXtext(s string) string {
	var out []byte
	for i := range len(s) {
		c := s[i]
		switch {
		case c <= ' ' || c > '~' || c == '+' || c == '=':
			out = append(out, '+', hexDigits[c>>4], hexDigits[c&15])
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// decodeXtext decodes xtext; it returns false if s is invalid. It accepts hexadecimal
// digits in either case, although the RFC wants capitals. The result may have any byte,
// including CR and NUL: callers must check it before it goes into a header, a log or a
// command.
func decodeXtext(s string) (string, bool) {
	var out []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c <= ' ' || c > '~' || c == '=':
			return "", false
		case c != '+':
			out = append(out, c)
		case i+2 >= len(s):
			return "", false
		default:
			high, ok := unhex(s[i+1])
			low, ok2 := unhex(s[i+2])
			if !ok || !ok2 {
				return "", false
			}
			out = append(out, high<<4|low)
			i += 2
		}
	}
	return string(out), true
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

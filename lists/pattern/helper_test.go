package pattern

import "superlist/smtp"

func addr(s string) smtp.Path {
	p, ok := smtp.ParseAddress(s)
	if !ok {
		panic("not an address: " + s)
	}
	return p
}

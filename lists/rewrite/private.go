package rewrite

import (
	"bytes"
	"strings"
	"time"
)

// Public returns the header without what must not reach everybody who gets a post:
// requests for receipts, which would tell the author who is on a list; passwords of
// other list managers; hidden recipients; and the address by which the post reached
// somebody who passed it on. Privacy takes precedence over a signature that covers such
// a field.
func (h Header) Public() Header {
	public := make(Header, 0, len(h))
	for _, f := range h {
		if !private(f.Name) {
			public = append(public, f)
		}
	}
	return public
}

// private reports whether a field is not for the public. Programs also write nearly all
// of these names with X- in front.
func private(name string) bool {
	name = strings.ToLower(name)
	if name == "x-delivered-to" { // the form without X- stops loops
		return true
	}
	switch strings.TrimPrefix(name, "x-") {
	case "disposition-notification-to", "disposition-notification-options", // RFC 8098
		"return-receipt-to", "return-receipt-requested", "read-receipt-to", "receipt-to", "delivery-receipt-to",
		"confirm-reading-to", "confirm-delivery-to", "acknowledge-to", "pmrqc",
		"notice-requested-upon-delivery-to", "registered-mail-reply-requested-by", "register-mail-reply-requested-by",
		"chameleon-return-to", "errors-to", "return-errors-to", "failures-to", // sendmail sends reports to the addresses in these
		"generate-delivery-report": // RFC 2156
		return true
	case "approved", "approve", "urgent": // Mailman
		return true
	case "bcc", "resent-bcc", "apparently-to", "return-path", "envelope-to", "original-to", "rcpt-to", "original-recipient":
		return true
	}
	return false
}

// Complete returns the header with a Message-ID and a Date, added if they are missing
// or empty: RFC 5322, 3.6. Otherwise relays would give each copy of a post different
// ones.
func (h Header) Complete(id string, date time.Time) Header {
	h = h.Given("Date", date.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700"))
	return h.Given("Message-ID", "<"+id+">")
}

// Given returns the header with a field in front, unless there already is one that is
// not empty.
func (h Header) Given(name, value string) Header {
	var others Header
	for i, f := range h {
		if !f.Is(name) {
			continue
		}
		if strings.Trim(f.Value(), "<> ") != "" {
			return h
		}
		others = append(others, h[:i]...) // an empty one; only one is allowed
		h = append(others, h[i+1:]...)
		break
	}
	return append(Header{{Name: name, Raw: []byte(name + ": " + value + "\r\n")}}, h...)
}

// signed reports whether a signature covers the fields with a name, present or absent:
// RFC 6376, 5.4, and RFC 8617, 4.1.2. Signing an absent field forbids adding it.
func (h Header) signed(name string) bool {
	for _, f := range h {
		if !f.Is("DKIM-Signature") && !f.Is("ARC-Message-Signature") {
			continue
		}
		_, value, _ := bytes.Cut(f.Raw, []byte{':'})
		for tag := range bytes.SplitSeq(value, []byte{';'}) {
			key, names, _ := bytes.Cut(tag, []byte{'='})
			if string(bytes.TrimSpace(key)) != "h" {
				continue
			}
			for covered := range bytes.SplitSeq(names, []byte{':'}) {
				if strings.EqualFold(string(bytes.TrimSpace(covered)), name) {
					return true
				}
			}
		}
	}
	return false
}

package rewrite

import (
	"bytes"
	"strings"
	"time"
)

// Public is the header without what is not for the many who get a post: requests
// for receipts, by which its author would learn who is on a list; passwords of other
// list managers; whom it was for without the others knowing, and by what address it
// came to somebody who has sent it on. Privacy comes before a signature that covers
// one of them.
func (h Header) Public() Header {
	public := make(Header, 0, len(h))
	for _, f := range h {
		if !private(f.Name) {
			public = append(public, f)
		}
	}
	return public
}

// private says that a field is none for the public. Programs write nearly each of
// these names with X- in front, too.
func private(name string) bool {
	name = strings.ToLower(name)
	if name == "x-delivered-to" { // without X- it is what stops loops
		return true
	}
	switch strings.TrimPrefix(name, "x-") {
	case "disposition-notification-to", "disposition-notification-options", // RFC 8098
		"return-receipt-to", "return-receipt-requested", "read-receipt-to", "receipt-to", "delivery-receipt-to",
		"confirm-reading-to", "confirm-delivery-to", "acknowledge-to", "pmrqc",
		"notice-requested-upon-delivery-to", "registered-mail-reply-requested-by", "register-mail-reply-requested-by",
		"chameleon-return-to", "errors-to", "return-errors-to", "failures-to", // sendmail reports to whom these name
		"generate-delivery-report": // RFC 2156
		return true
	case "approved", "approve", "urgent": // Mailman
		return true
	case "bcc", "resent-bcc", "apparently-to", "return-path", "envelope-to", "original-to", "rcpt-to", "original-recipient":
		return true
	}
	return false
}

// Complete is the header with a Message-ID and a Date where it has none that say
// anything: RFC 5322, 3.6. Behind us each copy of a post would get others.
func (h Header) Complete(id string, date time.Time) Header {
	h = h.Given("Date", date.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700"))
	return h.Given("Message-ID", "<"+id+">")
}

// Given is the header with a field in front, unless one is there already that says
// anything.
func (h Header) Given(name, value string) Header {
	var others Header
	for i, f := range h {
		if !f.Is(name) {
			continue
		}
		if strings.Trim(f.Value(), "<> ") != "" {
			return h
		}
		others = append(others, h[:i]...) // an empty one, and there may be one only
		h = append(others, h[i+1:]...)
		break
	}
	return append(Header{{Name: name, Raw: []byte(name + ": " + value + "\r\n")}}, h...)
}

// signed says that a signature covers the fields of a name, there or not: RFC 6376,
// 5.4, and RFC 8617, 4.1.2. Whoever signs a field that is not there wants none added.
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

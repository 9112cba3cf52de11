package edit

import (
	"slices"
	"strings"

	"superlist/lists/parts"
)

// signed reports whether a message is signed or encrypted as a whole.
func signed(e *parts.Entity) bool {
	switch e.Type {
	case "multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp", "application/pgp-encrypted":
		return true
	case "application/octet-stream": // RFC 8551, 3.9
		return e.Parent == nil && slices.ContainsFunc(e.Names, func(name string) bool { return strings.HasSuffix(strings.ToLower(name), ".p7m") })
	}
	return false
}

// sealed reports whether a message is not to be changed: it is signed, or it is made for
// programs (a report, an invitation, a form, a piece of a message).
func sealed(e *parts.Entity) bool {
	switch e.Type {
	case "multipart/report", "multipart/form-data", "multipart/byteranges", "multipart/voice-message", "text/calendar", "message/partial":
		return true
	}
	return signed(e)
}

// shut is sealed, for a part that is not searched.
func shut(e *parts.Entity) bool {
	return sealed(e) || e.Message() || e.Type == "multipart/appledouble" || e.Type == "multipart/digest"
}

// shown reports whether people read a part as text: it is not an attachment, or a note
// about one.
func shown(e *parts.Entity) bool {
	return strings.HasPrefix(e.Type, "text/") && !e.File && len(e.Names) == 0 && e.Header.Get("Content-Description") != removed
}

// prose reports whether a part is shown and of a type that a text can be put into.
func prose(e *parts.Entity) bool {
	return shown(e) && (e.Type == "text/plain" || e.Type == "text/html")
}

// readable returns the parts that together are the beginning (first) or the end of what
// people read: one, or one of each alternative.
func readable(e *parts.Entity, first bool) []*parts.Entity {
	list, _ := reachable(e, first)
	return list
}

// reachable is readable. barred reports that what people read first, or last, is
// something that cannot be changed.
func reachable(e *parts.Entity, first bool) (list []*parts.Entity, barred bool) {
	switch {
	case shut(e):
		return nil, signed(e)
	case e.Type == "multipart/alternative":
		for _, p := range e.Parts {
			some, bar := reachable(p, first)
			list, barred = append(list, some...), barred || bar
		}
		if barred { // in the others alone it would be missed
			list = nil
		}
		return list, barred
	case e.Type == "multipart/related":
		if len(e.Parts) > 0 {
			return reachable(start(e), first)
		}
		return nil, false
	case e.Multipart():
		for i := range e.Parts {
			p := e.Parts[i]
			if !first {
				p = e.Parts[len(e.Parts)-1-i]
			}
			if list, barred = reachable(p, first); len(list) > 0 || barred {
				return list, barred
			}
		}
		return nil, false
	case prose(e):
		return []*parts.Entity{e}, false
	}
	return nil, shown(e)
}

// start returns the part of a multipart/related that is shown, with the others in it:
// RFC 2387, 3.2.
func start(e *parts.Entity) *parts.Entity {
	if ids := e.Params["start"]; len(ids) > 0 {
		for _, p := range e.Parts {
			if id := p.Header.Get("Content-ID"); id != "" && strings.TrimSpace(id) == strings.TrimSpace(ids[0]) {
				return p
			}
		}
	}
	return e.Parts[0]
}

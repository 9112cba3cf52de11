package trace

import (
	"cmp"

	"superlist/lists/acts"
	"superlist/lists/logfile"
	"superlist/lists/maillog"
)

func stepOf(l logfile.Line, e maillog.Entry) Step {
	s := Step{At: l.At, Event: e.Event, List: e.Address("list"), Field: make(map[string]string), Line: l.Text}
	for _, f := range e.Fields {
		s.Field[f.Key] = f.Value
	}
	s.Words = words(l, e)
	return s
}

// words returns what a line means. A line without words of its own is shown unchanged.
func words(l logfile.Line, e maillog.Entry) string {
	list := e.Address("list")
	because := ""
	if reason := cmp.Or(e.Get("reason"), e.Get("error")); reason != "" {
		because = ": " + reason
	}
	switch e.Event {
	case "accepted":
		text := sender(e) + " sent it to " + e.Address("to") + from(e) + "; it was accepted"
		if ident := e.Get("ident"); ident != "" {
			text += "; Postfix calls it " + ident
		}
		return text
	case "refused":
		if !l.OfSession() {
			return "the relay refused it for " + e.Address("to") + ": " + e.Get("reply")
		}
		text := sender(e) + " wanted to send something" + from(e)
		if to := e.Address("to"); to != "" {
			text = sender(e) + " wanted to send something to " + to + from(e)
		}
		return text + "; it was refused: " + cmp.Or(e.Get("reply"), e.Get("error"))
	case "post":
		if e.Get("members") == "0" && e.Number("digests") == 0 {
			return list + " has nobody who gets it" + asNumber(e)
		}
		text := list + " sends it to " + acts.Count(e, "members", "member")
		if e.Number("digests") > 0 {
			text += ", and to " + e.Get("digests") + " in their next digest"
		}
		text += asNumber(e)
		if author := e.Get("author"); author != "" {
			text += "; From was changed (" + author + ")" + because
		}
		if n := e.Number("removed"); n > 0 {
			text += "; parts taken away: " + e.Get("removed")
		}
		return text
	case "sent":
		return "the relay took it for " + acts.Count(e, "recipients", "recipient") + ": " + e.Get("reply")
	case "deferred":
		return "it waits until " + e.Get("until") + because
	case "failed":
		if to := e.Address("to"); to != "" {
			return "it failed for " + to + because
		}
		return "it was given up for " + acts.Count(e, "recipients", "recipient") + because
	case "held":
		whom := "a moderator"
		if e.Get("for") == "confirm" {
			whom = "its author"
		}
		return list + " holds it for " + whom + because
	case "discarded":
		return list + " threw it away" + because
	case "expired":
		return "nobody has decided in time; " + list + " threw it away"
	case "owners":
		return "it went to " + acts.Count(e, "owners", "owner") + " of " + list
	case "letter":
		return list + " wrote the letter \"" + e.Get("text") + "\" to " + acts.Count(e, "recipients", "recipient")
	case "command":
		return e.Address("from") + " asked " + list + " to " + e.Get("verb") + " " + e.Address("about")
	case "digest":
		return list + " put it into digest " + e.Get("issue") + ", with posts " + e.Get("posts") + ", for " + acts.Count(e, "members", "member")
	case "not told", "not asked":
		return list + " wrote no letter to " + e.Address("author") + because
	case "not answered":
		return list + " wrote no answer to " + e.Address("to") + because
	case "report":
		return "a delivery report went to " + e.Address("to") + " (" + e.Get("action") + ")"
	case "no report":
		return "no delivery report went to " + e.Address("to") + " (" + e.Get("action") + ")" + because
	case "bounce":
		return "it is a delivery report about " + e.Address("member") + ", from " + e.Get("by") + because + "; " + e.Get("verdict")
	case "sent before":
		return "its proof of who wrote it was used before"
	case "unreadable":
		return "its file cannot be read" + because
	case "trouble":
		return "trouble" + because
	case "adopted":
		return "another host had it, and this one has taken it over"
	case "swept":
		return "it was removed from what was given up: " + e.Get("what")
	}
	if text := acts.Words(e); text != "" {
		if by := e.Address("by"); by != "" {
			text = by + " " + text
		}
		return text
	}
	return l.Text
}

// sender returns the envelope sender of a message.
func sender(e maillog.Entry) string {
	switch {
	case e.Address("from") != "":
		return e.Address("from")
	case e.Get("from") != "":
		return "the null sender"
	}
	return "a client"
}

// from returns the machine that a message came from.
func from(e maillog.Entry) string {
	client := e.Get("client")
	if client == "" {
		return ""
	}
	text := ", from " + client
	if helo := e.Get("helo"); helo != "" {
		text += " (" + helo + ")"
	}
	if size := e.Get("size"); size != "" {
		text += ", " + size + " bytes"
	}
	return text
}

func asNumber(e maillog.Entry) string {
	if n := e.Number("number"); n > 0 {
		return ", as number " + e.Get("number")
	}
	return ""
}

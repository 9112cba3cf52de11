package smtp

import (
	"slices"
	"strings"
)

// Delivery status notifications, as a sender asks for them: RFC 3461.

// Notify says when a sender wants a report about a recipient: RFC 3461, 4.1. Zero: the
// sender did not say.
type Notify uint8

const (
	NotifyNever Notify = 1 << iota
	NotifySuccess
	NotifyFailure
	NotifyDelay
)

var notifyWords = [...]string{"NEVER", "SUCCESS", "FAILURE", "DELAY"}

// String returns the value of NOTIFY: "SUCCESS,FAILURE".
func (n Notify) String() string {
	var words []string
	for i, word := range notifyWords {
		if n&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return strings.Join(words, ",")
}

// parseNotify parses the value of NOTIFY: NEVER alone, or the others, each once.
func parseNotify(value string) (n Notify, ok bool) {
	for word := range strings.SplitSeq(upper(value), ",") {
		i := slices.Index(notifyWords[:], word)
		if i < 0 || n&(1<<i) != 0 {
			return 0, false
		}
		n |= 1 << i
	}
	return n, n == NotifyNever || n&NotifyNever == 0
}

// dsn handles NOTIFY and ORCPT: RFC 3461, 4.1 and 4.2. known is false for any other
// parameter. If the value is bad, refusal says so.
func (r *Rcpt) dsn(p param) (refusal Reply, known bool) {
	switch p.key {
	case "NOTIFY":
		var ok bool
		if r.Notify, ok = parseNotify(p.value); !ok {
			return Reply{501, "5.5.4", "NOTIFY must be NEVER, or one or more of SUCCESS,FAILURE,DELAY"}, false
		}
	case "ORCPT":
		if _, _, ok := OriginalRecipient(p.value); !ok {
			return Reply{501, "5.5.4", "ORCPT must be like rfc822;name@example.org, in xtext and at most 500 bytes"}, false
		}
		r.ORcpt = p.value
	default:
		return unknownParam(p), false
	}
	return Reply{}, true
}

// OriginalRecipient splits the value of ORCPT into the type of address, rfc822 or
// another, and the address in printable form, as a report shows it. An address of type
// utf-8 stays as it is: its own escapes are meant to be shown (RFC 6533, 3).
func OriginalRecipient(orcpt string) (kind, address string, ok bool) {
	kind, value, found := strings.Cut(orcpt, ";")
	if !found || len(orcpt) > MaxORcpt || !isKeyword(upper(kind)) || value == "" {
		return "", "", false
	}
	if strings.EqualFold(kind, "utf-8") {
		return kind, value, Printable(value)
	}
	address, ok = decodeXtext(value)
	return kind, address, ok && IsClean(address)
}

// EnvelopeID returns the value of ENVID as a report shows it. RFC 3461, 4.4 allows only
// printable ASCII in it, however it is encoded.
func EnvelopeID(envid string) (id string, ok bool) {
	id, ok = decodeXtext(envid)
	return id, ok && id != "" && len(envid) <= MaxEnvID && IsClean(id)
}

// mailDSN handles RET and ENVID: RFC 3461, 4.3 and 4.4. known is as for Rcpt.dsn.
func (env *Envelope) mailDSN(p param) (refusal Reply, known bool) {
	switch p.key {
	case "RET":
		env.Ret = upper(p.value)
		if env.Ret != "FULL" && env.Ret != "HDRS" {
			return Reply{501, "5.5.4", "RET must be FULL or HDRS"}, false
		}
	case "ENVID":
		if _, ok := EnvelopeID(p.value); !ok {
			return Reply{501, "5.5.4", "ENVID must be printable ASCII in xtext, of at most 100 bytes"}, false
		}
		env.EnvID = p.value
	default:
		return unknownParam(p), false
	}
	return Reply{}, true
}

func unknownParam(p param) Reply {
	return Reply{555, "5.5.4", "parameter " + p.key + " is not known here"}
}

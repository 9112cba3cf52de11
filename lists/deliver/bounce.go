package deliver

import (
	"bytes"
	"io"
	"strings"

	"superlist/lists/rewrite"
)

// maxReported is how much of a delivery report is looked through for what it says:
// the words for a person come first, and may be many.
const maxReported = 64 << 10

// maxSaid is how much of a reason the log gets: syslog takes only so much.
const maxSaid = 300

// reported is what a delivery report says of the first recipient that it names: the
// fields Status and Diagnostic-Code of RFC 3464, or its Subject where it has none,
// as older programs write them. It is for the log, and decides on nothing.
func reported(report io.Reader) (status, reason string) {
	all, err := io.ReadAll(io.LimitReader(report, maxReported))
	if err != nil {
		return "", ""
	}
	into := (*string)(nil) // the field that a folded line goes on with
	for line := range strings.Lines(string(all)) {
		text := strings.TrimRight(line, "\r\n")
		name, value, ok := strings.Cut(text, ":")
		switch folded := strings.TrimLeft(text, " \t"); {
		case into != nil && folded != text:
			*into += " " + folded
		case ok && status == "" && strings.EqualFold(name, "Status"):
			status = strings.TrimSpace(value)
			into = &status
		case ok && reason == "" && strings.EqualFold(name, "Diagnostic-Code"):
			reason = strings.TrimSpace(value)
			into = &reason
		default:
			into = nil
		}
		if status != "" && reason != "" && into == nil {
			break
		}
	}
	status, _, _ = strings.Cut(status, " ") // a comment may follow
	if raw, _, err := rewrite.ReadHeader(bytes.NewReader(all)); reason == "" && err == nil {
		reason = subjectOf(rewrite.Parse(raw))
	}
	return status, reason[:min(len(reason), maxSaid)]
}

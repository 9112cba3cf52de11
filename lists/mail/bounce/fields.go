package bounce

import "strings"

// fields parses the delivery-status parts: RFC 3464, 2.
func (m *message) fields() (list []Recipient) {
	for _, part := range m.status {
		reporter := ""
		for rest := []byte(part); len(rest) > 0; {
			h, next := readHeader(rest)
			if len(next) == len(rest) { // a line that is not a field
				_, next = cutLine(rest)
			}
			rest = next
			if mta := typed(h.get("reporting-mta")); mta != "" {
				reporter = mta
			}
			if r, ok := recipient(h); ok && len(list) < MaxRecipients {
				if r.Reporter == "" {
					r.Reporter = reporter
				}
				list = append(list, r)
			}
		}
	}
	return list
}

// recipient parses the fields of one recipient: RFC 3464, 2.3.
func recipient(h header) (r Recipient, ok bool) {
	if !h.has("final-recipient") && !h.has("original-recipient") && !h.has("action") {
		return r, false
	}
	original, final := fieldAddress(h.get("original-recipient")), fieldAddress(h.get("final-recipient"))
	if final == "" {
		final = fieldAddress(h.get("x-actual-recipient"))
	}
	r.Address = original
	if r.Address == "" {
		r.Address = final
	} else if final != "" && !strings.EqualFold(final, original) {
		r.Final = final
	}
	action, _, _ := strings.Cut(strings.ToLower(h.get("action")), " ")
	r.Action = strings.Trim(action, ";,()")
	switch r.Action {
	case "failed", "delayed", "relayed", "delivered", "expanded":
	case "failure", "fail", "error", "":
		r.Action = "failed"
	case "deliverable", "success", "transferred", "forwarded":
		r.Action = "relayed"
	case "deferred", "delay", "warning":
		r.Action = "delayed"
	default:
		r.Action = "failed"
	}
	for word := range strings.FieldsSeq(h.get("status")) {
		if code, ok := enhanced(strings.Trim(word, "(),;")); ok {
			r.Status = code
			break
		}
	}
	r.Diagnostic = cut(diagnostic(h.get("diagnostic-code")))
	r.Reporter = typed(h.get("remote-mta"))
	return r, true
}

// typed returns the value of a field such as "dns; mx.example.net".
func typed(value string) string {
	kind, rest, ok := strings.Cut(value, ";")
	if !ok {
		rest = kind
	}
	name, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	return cut(strings.Trim(name, "()"))
}

// diagnostic removes the type from a Diagnostic-Code.
func diagnostic(value string) string {
	if kind, rest, ok := strings.Cut(value, ";"); ok && len(kind) < 20 && !strings.Contains(kind, " ") {
		return strings.TrimSpace(rest)
	}
	return value
}

// cut shortens a text to maxDiagnostic bytes.
func cut(s string) string {
	if len(s) > maxDiagnostic {
		s = s[:maxDiagnostic]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// complaint parses a feedback report: RFC 5965, 3.
func (m *message) complaint() Report {
	report := Report{Kind: Complaint}
	for _, part := range m.feedback {
		h, _ := readHeader([]byte(strings.TrimLeft(part, "\n")))
		kind := strings.ToLower(cut(h.get("feedback-type")))
		if kind == "" {
			kind = "abuse"
		}
		if kind == "not-spam" {
			return Report{Kind: Other}
		}
		if report.Feedback == "" {
			report.Feedback = kind
		}
		for _, f := range h {
			if f.name != "original-rcpt-to" && f.name != "removal-recipient" {
				continue
			}
			if a := fieldAddress(f.value); a != "" && len(report.Recipients) < MaxRecipients && !redacted(a) {
				report.Recipients = append(report.Recipients, Recipient{Address: a, Action: kind, Class: Unknown, Reporter: typed(h.get("reporting-mta"))})
			}
		}
	}
	return report
}

// redacted reports whether a host has hidden the name in an address: RFC 6590.
func redacted(address string) bool {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	return strings.HasPrefix(domain, "redacted") || local == "redacted" || local == "undisclosed" || local == "x" || local == "hidden"
}

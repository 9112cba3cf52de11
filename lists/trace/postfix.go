package trace

import (
	"strings"

	"superlist/lists/logfile"
)

// queueID returns Postfix's name for a message from its reply: 250 2.0.0 Ok: queued as
// 4XyZ. If the relay has a content filter or another server behind it, the id is that
// server's.
func queueID(reply string) string {
	_, id, ok := strings.Cut(reply, "queued as ")
	if !ok {
		return ""
	}
	id, _, _ = strings.Cut(id, " ")
	return strings.TrimRight(id, ".,;)")
}

// onward reads a line of one of Postfix's delivery agents:
//
//	4XyZ: to=<a@example.com>, relay=mx.example.com[192.0.2.1]:25, delay=1, delays=…, dsn=2.0.0, status=sent (250 ok)
func onward(l logfile.Line) (queueID string, o Onward, ok bool) {
	queueID, rest, ok := strings.Cut(l.Text, ": to=<")
	if !ok || queueID == "" || strings.Trim(queueID, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
		return "", o, false
	}
	to, rest, ok := strings.Cut(rest, ">, ")
	if !ok {
		return "", o, false
	}
	i := strings.Index(rest, "status=")
	if i < 0 {
		return "", o, false
	}
	status, text, _ := strings.Cut(rest[i+len("status="):], " ")
	return queueID, Onward{At: l.At, To: to, QueueID: queueID, Status: status, Text: strings.TrimSuffix(strings.TrimPrefix(text, "("), ")")}, true
}

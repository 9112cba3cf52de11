// Package logfile reads the log back: superlist's lines, and Postfix's beside them, from
// the file or the journal into which they were written.
//
// It reads a file of superlist's own (log = "/…"), what syslogd writes in its old form and
// in that with RFC 3339 times, files that logrotate has put away, packed or not, and the
// journal by way of journalctl(1). A line of another program, or in another form, is passed
// over. What stands in a line strangers have chosen in part: nothing here believes a time,
// a program or an event but where the log daemon has put it.
package logfile

import (
	"strings"
	"time"
)

// A Line is one line of the log.
type Line struct {
	At      time.Time
	Program string // superlist, superlist-spawn, postfix/smtp
	Text    string
}

// Ours reports whether a program of superlist has written it.
func (l Line) Ours() bool {
	return l.Program == "superlist" || strings.HasPrefix(l.Program, "superlist-")
}

// OfSession reports whether a program has written it that serves clients.
func (l Line) OfSession() bool { return strings.HasPrefix(l.Program, "superlist-") }

// Postfix reports whether one of Postfix's programs has written it.
func (l Line) Postfix() bool { return strings.HasPrefix(l.Program, "postfix") }

// parse reads a line of a file. now is needed for times without a year. ok is false for a
// line of another program, or in no form that is known.
func parse(s string, now time.Time) (l Line, ok bool) {
	at, rest, ok := stamp(s, now)
	if !ok {
		return l, false
	}
	tag, text, ok := strings.Cut(rest, ": ")
	if !ok {
		return l, false
	}
	if host, program, two := strings.Cut(tag, " "); two { // syslogd puts the host in front
		if strings.ContainsAny(host, "[]") {
			return l, false
		}
		tag = program
	}
	program, pid, _ := strings.Cut(tag, "[")
	if strings.Trim(pid, "0123456789]") != "" {
		return l, false
	}
	l = Line{At: at, Program: program, Text: strings.TrimRight(text, "\r\n")}
	return l, l.Ours() || l.Postfix()
}

// stamp takes the time off the front of a line.
func stamp(s string, now time.Time) (at time.Time, rest string, ok bool) {
	if len(s) > 0 && '0' <= s[0] && s[0] <= '9' {
		word, rest, ok := strings.Cut(s, " ")
		at, err := time.Parse(time.RFC3339, word)
		return at, rest, ok && err == nil
	}
	if len(s) <= len(time.Stamp) || s[len(time.Stamp)] != ' ' {
		return at, "", false
	}
	at, err := time.ParseInLocation(time.Stamp, s[:len(time.Stamp)], now.Location())
	if err != nil {
		return at, "", false
	}
	// Nothing in the log is from tomorrow: then it is from a year before.
	at = time.Date(now.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, now.Location())
	if at.After(now.Add(24 * time.Hour)) {
		at = at.AddDate(-1, 0, 0)
	}
	return at, s[len(time.Stamp)+1:], true
}

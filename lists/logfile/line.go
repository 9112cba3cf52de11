// Package logfile reads the log: the lines of superlist and Postfix, from the file or
// the journal that they were written to.
//
// It reads a log file of superlist's own (log = "/…"), files of syslogd in the old
// format or with RFC 3339 times, files that logrotate has set aside, compressed or not,
// and the journal through journalctl(1). It skips lines of other programs and in other
// formats. Strangers control part of what a line says. So a time, a program or an event
// counts only in the place where the log daemon writes it.
package logfile

import (
	"strings"
	"time"
)

// A Line is a line of the log.
type Line struct {
	At      time.Time
	Program string // superlist, superlist-spawn, postfix/smtp
	Text    string
}

// Ours reports whether a program of superlist wrote the line.
func (l Line) Ours() bool {
	return l.Program == "superlist" || strings.HasPrefix(l.Program, "superlist-")
}

// OfSession reports whether the line is from a program that serves clients.
func (l Line) OfSession() bool { return strings.HasPrefix(l.Program, "superlist-") }

// Postfix reports whether one of Postfix's programs wrote the line.
func (l Line) Postfix() bool { return strings.HasPrefix(l.Program, "postfix") }

// parse parses a line of a file. Times without a year need now. ok is false for a line
// of another program or in an unknown format.
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

// stamp parses the time at the front of a line, and returns the rest.
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
	// The log has no lines from tomorrow, so such a date is last year's.
	at = time.Date(now.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, now.Location())
	if at.After(now.Add(24 * time.Hour)) {
		at = at.AddDate(-1, 0, 0)
	}
	return at, s[len(time.Stamp)+1:], true
}

// Package maillog writes the log: one line per decision, to syslog (facility
// mail), the journal, a file or standard error.
//
// A log that cannot be written never stops mail, and never writes to a client:
// in a session standard error is the client.
package maillog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A Level is how grave a line is: syslog's numbers.
type Level int

const (
	Err     Level = 3
	Warning Level = 4
	Info    Level = 6
	Debug   Level = 7
)

// levelOf reads a value of log_level.
func levelOf(name string) Level {
	switch name {
	case "err":
		return Err
	case "warning":
		return Warning
	case "debug":
		return Debug
	}
	return Info
}

// mail is syslog's facility for mail: RFC 5424, 6.2.1.
const mail = 2

// A Log is where lines go. The zero Log throws them away.
type Log struct {
	w       *os.File
	level   Level
	program string
	format  func(l *Log, at Level, text string) string
	also    io.Writer
	hear    []Listener
	mu      sync.Mutex       // deliver has several connections at a time
	stuck   bool             // the last line could not be got rid of
	Now     func() time.Time // nil: time.Now
}

// Also has every line written to w too, without time and program: for somebody
// who watches.
func (l *Log) Also(w io.Writer) { l.also = w }

// A Listener hears of every line, whatever log_level is and wherever the log goes. It
// must not write to the log.
type Listener interface {
	Hear(at Level, text string)
	Close() error // the log is closed
}

// Tell has somebody listen.
func (l *Log) Tell(to Listener) { l.hear = append(l.hear, to) }

// Places where syslogd and the journal listen.
const (
	syslogSocket  = "/dev/log"
	journalSocket = "/run/systemd/journal/socket"
)

// Open opens the log that the configuration names: syslog, journal, stderr,
// none, or a file. program is what the lines are from. Where it fails the Log
// throws lines away, and the error says why.
func Open(target, level, program string) (*Log, error) {
	l := &Log{level: levelOf(level), program: program}
	var err error
	switch target {
	case "none":
	case "stderr":
		l.w, l.format = os.Stderr, plain
	case "syslog":
		l.w, err = dial(syslogSocket)
		l.format = syslog
	case "journal":
		l.w, err = dial(journalSocket)
		l.format = journal
	default:
		l.w, err = os.OpenFile(target, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		l.format = plain
	}
	if err != nil {
		l.w = nil
		return l, fmt.Errorf("log: %w", err)
	}
	return l, nil
}

// dial connects to a datagram socket. It is a file then, so that whatever the
// runtime says when it dies can go there too, and package net is not linked.
func dial(socket string) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: socket}); err != nil {
		unix.Close(fd)
		return nil, &os.PathError{Op: "connect", Path: socket, Err: err}
	}
	f := os.NewFile(uintptr(fd), socket)
	setPatience(f, patience)
	return f, nil
}

// File is what a dying runtime may write to; nil if there is nothing.
func (l *Log) File() *os.File { return l.w }

// Takes reports whether a line of this level would go anywhere: to the log or a listener.
func (l *Log) Takes(at Level) bool {
	return len(l.hear) > 0 || at <= l.level && (l.w != nil || l.also != nil)
}

// Line writes one line. What is not printable becomes a question mark, a line
// break too, so that nobody can forge a second line or steer a terminal.
func (l *Log) Line(at Level, text string) {
	if !l.Takes(at) {
		return
	}
	text = Printable(strings.TrimRight(text, "\n"))
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, to := range l.hear {
		to.Hear(at, text)
	}
	if at > l.level {
		return
	}
	if l.also != nil {
		fmt.Fprintln(l.also, text)
	}
	if l.w != nil {
		line := l.format(l, at, text)
		_, err := io.WriteString(l.w, line)
		if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ENOTCONN) { // it has been started anew
			if f, again := dial(l.w.Name()); again == nil {
				l.w.Close()
				l.w = f
				_, err = io.WriteString(l.w, line)
			}
		}
		l.wait(errors.Is(err, unix.EAGAIN))
	}
}

// patience is how long mail waits for a log daemon that does not read.
var patience = time.Second

// wait sets how long the next line may wait. Once one has waited in vain the
// others hardly do, until one goes through again.
func (l *Log) wait(stuck bool) {
	if stuck == l.stuck {
		return
	}
	l.stuck = stuck
	limit := patience
	if stuck {
		limit = time.Millisecond
	}
	setPatience(l.w, limit)
}

// setPatience limits how long a write to a socket takes; on a file it does
// nothing.
func setPatience(f *os.File, limit time.Duration) {
	tv := unix.NsecToTimeval(int64(limit))
	unix.SetsockoptTimeval(int(f.Fd()), unix.SOL_SOCKET, unix.SO_SNDTIMEO, &tv)
}

// Printf is Line with a format, in which key=%s is a value: in quotes where a word
// without them would not do.
func (l *Log) Printf(at Level, format string, args ...any) {
	if !l.Takes(at) {
		return
	}
	for i, arg := range args {
		args[i] = value{arg}
	}
	l.Line(at, fmt.Sprintf(strings.ReplaceAll(format, "=%s", "=%k"), args...))
}

// A value is an argument of Printf. Its verb %k is %s in quotes, where it needs
// them.
type value struct{ any }

// Format is fmt.Formatter's.
func (v value) Format(f fmt.State, verb rune) {
	if verb != 'k' {
		fmt.Fprintf(f, fmt.FormatString(f, verb), v.any)
		return
	}
	io.WriteString(f, Value(fmt.Sprint(v.any)))
}

// Value is a value as it stands behind key= in a line: in quotes where there is a
// space or a quote in it.
func Value(s string) string {
	if strings.ContainsAny(s, " \t\"") {
		return strconv.Quote(s)
	}
	return s
}

// Close closes the log. What its listeners could not do is its last lines.
func (l *Log) Close() {
	hear := l.hear
	l.hear = nil
	for _, to := range hear {
		if err := to.Close(); err != nil {
			l.Printf(Err, "trouble log error=%q", err)
		}
	}
	if l.w != nil && l.w != os.Stderr {
		l.w.Close()
	}
}

func (l *Log) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

func plain(l *Log, at Level, text string) string {
	return fmt.Sprintf("%s %s[%d]: %s\n", l.now().Format(time.RFC3339), l.program, os.Getpid(), text)
}

// syslog is the form that /dev/log takes, without host name and time, which
// whoever listens there adds: RFC 3164, 4.3.2. So a session need not know the
// local zone.
func syslog(l *Log, at Level, text string) string {
	return fmt.Sprintf("<%d>%s[%d]: %s", mail*8+int(at), l.program, os.Getpid(), text)
}

// journal is systemd's native protocol: one field a line.
func journal(l *Log, at Level, text string) string {
	return fmt.Sprintf("PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%d\nMESSAGE=%s\n",
		int(at), mail, l.program, os.Getpid(), text)
}

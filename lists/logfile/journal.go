package logfile

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A run is a running journalctl, to be read once.
type run struct {
	cmd  *exec.Cmd
	out  io.Reader
	said strings.Builder
	stop func()
	over bool
}

func (r *run) end() error {
	if r.over {
		return nil
	}
	r.over = true
	r.stop()
	return r.cmd.Wait()
}

// journal starts journalctl as often as the journal is to be read. It selects facility
// mail, which has all lines of superlist and Postfix.
func journal(ctx context.Context, since time.Time, times int) (*Source, error) {
	s := &Source{Name: "the journal"}
	args := []string{"--no-pager", "--quiet", "--output=json", "--output-fields=SYSLOG_IDENTIFIER,MESSAGE"}
	if !since.IsZero() {
		args = append(args, "--since=@"+strconv.FormatInt(since.Unix(), 10))
	}
	args = append(args, "SYSLOG_FACILITY=2")
	for range times {
		ctx, stop := context.WithCancel(ctx)
		r := &run{cmd: exec.CommandContext(ctx, "journalctl", args...), stop: stop}
		r.cmd.Stderr = &r.said
		var err error
		if r.out, err = r.cmd.StdoutPipe(); err == nil {
			err = r.cmd.Start()
		}
		if err != nil {
			stop()
			s.Close()
			return nil, fmt.Errorf("the journal cannot be read: %w", err)
		}
		s.runs = append(s.runs, r)
	}
	return s, nil
}

func (s *Source) journalLines() iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		for _, r := range s.runs {
			if !r.over {
				s.readRun(r, yield)
				return
			}
		}
	}
}

// readRun reads the output of a journalctl.
func (s *Source) readRun(r *run, yield func(Line, error) bool) {
	decoder := json.NewDecoder(r.out)
	var err error
	for {
		var entry struct {
			Time    string `json:"__REALTIME_TIMESTAMP"`
			Program string `json:"SYSLOG_IDENTIFIER"`
			Text    any    `json:"MESSAGE"`
		}
		if err = decoder.Decode(&entry); err != nil {
			break
		}
		us, bad := strconv.ParseInt(entry.Time, 10, 64)
		text, isText := entry.Text.(string) // what is not UTF-8 comes as numbers
		l := Line{At: time.UnixMicro(us), Program: entry.Program, Text: text}
		if bad != nil || !isText || !l.Ours() && !l.Postfix() || l.At.Before(s.since) {
			continue
		}
		if !yield(l, nil) {
			r.end()
			return
		}
	}
	if err == io.EOF {
		r.over = true
		err = r.cmd.Wait() // before it is stopped: it has come to its end
		r.stop()
	} else {
		r.end()
	}
	if said := strings.TrimSpace(r.said.String()); err != nil || said != "" {
		if said != "" {
			err = fmt.Errorf("%s", said)
		}
		yield(Line{}, fmt.Errorf("journalctl: %w", err))
	}
}

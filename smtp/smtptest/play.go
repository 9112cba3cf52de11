package smtptest

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Play says the client's side of a recording to a real server on w, and holds
// what comes back on r against the server's side. The dialogue goes to show.
// It cannot play C! and S! lines: nobody can make a connection fail to order.
func (s *Script) Play(w io.Writer, r io.Reader, show io.Writer) error {
	br := bufio.NewReader(r)
	for _, st := range s.steps {
		switch {
		case st.kind == '!':
			return fmt.Errorf("%s:%d: only a test can play this", s.Name, st.line)
		case st.side == 'C':
			text := st.text
			if st.kind == ':' {
				text += "\r\n"
			}
			for line := range strings.Lines(text) {
				fmt.Fprintf(show, "C: %s\n", strings.TrimRight(line, "\r\n"))
			}
			if _, err := io.WriteString(w, text); err != nil {
				return fmt.Errorf("%s:%d: %w", s.Name, st.line, err)
			}
		default:
			if err := s.hear(st, br, show); err != nil {
				return err
			}
		}
	}
	return nil
}

// hear holds what comes back against one step.
func (s *Script) hear(st step, br *bufio.Reader, show io.Writer) error {
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return fmt.Errorf("%s:%d: got %q, want %q: %w", s.Name, st.line, line, st.text, err)
		}
		line = strings.TrimSuffix(line, "\r\n")
		fmt.Fprintf(show, "S: %s\n", line)
		if !Match(strings.TrimSuffix(st.text, "\r\n"), line) {
			return fmt.Errorf("%s:%d: got %q, want %q", s.Name, st.line, line, st.text)
		}
		more := st.more()
		if more == "" {
			return nil
		}
		if next, err := br.Peek(len(more)); err != nil || string(next) != more {
			return nil
		}
	}
}

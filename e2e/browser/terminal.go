package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"superlist/e2e/unpack"
)

// patience is how long something may take that has to come.
const patience = 30 * time.Second

// A terminal has a program in it, as somebody sees it who has a keyboard and nothing else.
type terminal struct {
	tmux []string // the command, without what it is to do
	env  []string
}

// newTerminal runs a program in a terminal.
func newTerminal(dir string, env []string, argv ...string) (*terminal, error) {
	tmux, own, err := program("tmux")
	if err != nil {
		return nil, err
	}
	t := &terminal{tmux: []string{tmux, "-u", "-f", "/dev/null", "-S", filepath.Join(dir, "tmux")}, env: append(append(os.Environ(), own...), env...)}
	_, err = t.ask(append([]string{"start-server", ";", "set-option", "-g", "remain-on-exit", "on", ";", "new-session", "-d", "-x", "100", "-y", "44", "--"}, argv...)...)
	return t, err
}

// program returns where a program of Debian's is, and what it wants to be in its environment.
func program(name string) (path string, env []string, err error) {
	if path, err = exec.LookPath(name); err == nil {
		return path, nil, nil
	}
	dir, _, err := unpack.Debian(name)
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(dir, "usr/bin", name), []string{"LD_LIBRARY_PATH=" + strings.Join(unpack.Libraries(dir), ":")}, nil
}

func (t *terminal) ask(args ...string) (string, error) {
	c := exec.Command(t.tmux[0], append(t.tmux[1:], args...)...)
	c.Env = t.env
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("tmux %s: %w: %s", args[0], err, out)
	}
	return string(out), nil
}

func (t *terminal) close() { t.ask("kill-server") }

// press presses keys, by tmux's names: Tab, Enter, C-u, q.
func (t *terminal) press(keys ...string) error {
	_, err := t.ask(append([]string{"send-keys"}, keys...)...)
	return err
}

// write types a text.
func (t *terminal) write(text string) error {
	_, err := t.ask("send-keys", "-l", "--", text)
	return err
}

// A screen is what is to be seen, and where the cursor is.
type screen struct {
	lines []string
	x, y  int
}

func (s screen) String() string { return strings.Join(s.lines, "\n") }

// has reports whether the screen has a text, on however many lines.
func (s screen) has(text string) bool {
	return strings.Contains(strings.Join(strings.Fields(s.String()), " "), text)
}

func (t *terminal) screen() (s screen, err error) {
	text, err := t.ask("capture-pane", "-p")
	if err != nil {
		return s, err
	}
	where, err := t.ask("display-message", "-p", "#{cursor_x} #{cursor_y}")
	if err != nil {
		return s, err
	}
	x, y, _ := strings.Cut(strings.TrimSpace(where), " ")
	if s.x, err = strconv.Atoi(x); err == nil {
		s.y, err = strconv.Atoi(y)
	}
	s.lines = strings.Split(text, "\n")
	return s, err
}

// until waits for a screen of some kind.
func (t *terminal) until(what string, is func(screen) bool) (s screen, err error) {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if s, err = t.screen(); err != nil || is(s) {
			return s, err
		}
		if time.Now().After(end) {
			return s, fmt.Errorf("%s did not come; the screen is\n%s", what, s)
		}
	}
}

// under returns the line that the cursor is on, before it and from it on, and the line above.
func (s screen) under() (above, before, after string) {
	if s.y >= len(s.lines) {
		return "", "", ""
	}
	if s.y > 0 {
		above = s.lines[s.y-1]
	}
	line := []rune(s.lines[s.y])
	x := min(s.x, len(line))
	return above, string(line[:x]), string(line[x:])
}

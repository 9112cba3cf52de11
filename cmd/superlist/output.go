package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode/utf16"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"superlist/lists/maillog"
)

func jsonFlag(c *cobra.Command, v *bool) {
	c.Flags().BoolVar(v, "json", false, "print JSON")
}

// show prints data as JSON, or as a table for people.
func show(c *cobra.Command, asJSON bool, data any, t *rows) error {
	if asJSON {
		e := json.NewEncoder(escaper{c.OutOrStdout()})
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(data)
	}
	return t.print(c.OutOrStdout())
}

// answer prints what a command has done: data as JSON, or a sentence for people.
func answer(c *cobra.Command, asJSON bool, data any, format string, args ...any) error {
	if asJSON {
		return show(c, true, data, nil)
	}
	say(c.OutOrStdout(), format+"\n", args...)
	return nil
}

func dryRunFlag(c *cobra.Command, v *bool) {
	c.Flags().BoolVar(v, "dry-run", false, "show what would happen, and change nothing")
}

// An escaper escapes the characters that encoding/json leaves as they are and that
// could steer a terminal or mislead a reader. The decoded JSON is the same.
type escaper struct{ w io.Writer }

func (e escaper) Write(p []byte) (int, error) {
	var b strings.Builder
	for _, c := range string(p) { // valid UTF-8, and a whole document
		switch {
		case c == '\n' || !maillog.Steers(c): // encoding/json has escaped line feeds in strings
			b.WriteRune(c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	if _, err := io.WriteString(e.w, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// A table is the titles of columns; empty titles are not printed.
type table []string

type rows struct {
	heads table
	lines [][]string
}

func (t table) rows() *rows { return &rows{heads: t} }

func (r *rows) add(cells ...string) { r.lines = append(r.lines, cells) }

func (r *rows) print(out io.Writer) error {
	if len(r.lines) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if r.heads[0] != "" {
		fmt.Fprintln(w, strings.Join(r.heads, "\t"))
	}
	for _, line := range r.lines {
		for i := range line {
			line[i] = printable(line[i])
		}
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	return w.Flush()
}

// say prints a text of one or more lines for people. It may contain what strangers
// wrote.
func say(out io.Writer, format string, args ...any) {
	io.WriteString(out, printableLines(fmt.Sprintf(format, args...)))
}

// printableLines is printable for a text of several lines.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// printable replaces what could steer the terminal in a stranger's text.
func printable(s string) string { return maillog.Printable(s) }

// copyMessage writes a message: byte by byte to a file or a pipe, which is wanted for
// its bytes, and to a terminal as text that does not steer it.
func copyMessage(out io.Writer, message io.Reader) error {
	if !isTerminalWriter(out) {
		_, err := io.Copy(out, message)
		return err
	}
	return copyText(out, message)
}

// copyText copies a text whose lines end in LF or CRLF.
func copyText(out io.Writer, text io.Reader) error {
	r, w := bufio.NewReader(text), bufio.NewWriter(out)
	for {
		c, _, err := r.ReadRune()
		if err == io.EOF {
			return w.Flush()
		}
		if err != nil {
			return errors.Join(err, w.Flush())
		}
		if c == '\r' {
			if next, err := r.Peek(1); err == nil && next[0] == '\n' {
				continue
			}
		}
		if c != '\n' && c != '\t' && maillog.Steers(c) {
			c = '?'
		}
		w.WriteRune(c)
	}
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

func isTerminalWriter(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isTerminal(f)
}

// plural returns a number with its noun: "1 member", "2 members".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"superlist/smtp"
)

// Options are what a reader is told beside the directory.
type Options struct {
	Owners []smtp.Path // in place of those that are found
	As     smtp.Path   // the list's address, where the directory has none, or another

	// Step, where set, hears how far it is.
	Step func(what string, done, total int)
}

func (o Options) step(what string, done, total int) {
	if o.Step != nil {
		o.Step(what, done, total)
	}
}

// ErrNotThis is a directory of something else.
var ErrNotThis = errors.New("this is not a list of that list manager")

// errNoAddress is a list that does not say its address.
var errNoAddress = &UsageError{"nothing in it says what the list's address is; say it: --as ADDRESS"}

// errNoOwner is a list without an owner.
var errNoOwner = &UsageError{"nothing in it says who owns the list; say it: --owner ADDRESS"}

// A UsageError is something that has to be said on the command line.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

func spell(paths []smtp.Path) string {
	var words []string
	for _, p := range paths {
		words = append(words, p.Address())
	}
	return strings.Join(words, ", ")
}

// quote writes a string as TOML, on one line.
func quote(s string) string {
	var b bytes.Buffer
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String() + `"`
}

// quoteAll writes addresses as a list of TOML.
func quoteAll(paths []smtp.Path) string {
	var words []string
	for _, p := range paths {
		words = append(words, quote(p.Address()))
	}
	return "[" + strings.Join(words, ", ") + "]"
}

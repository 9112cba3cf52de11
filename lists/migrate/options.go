package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"superlist/smtp"
)

// Options are what a reader is told besides the directory.
type Options struct {
	Owners []smtp.Path // instead of those found
	As     smtp.Path   // the list's address, if the directory has none, or to replace it

	// Step, if set, is told the progress.
	Step func(what string, done, total int)
}

func (o Options) step(what string, done, total int) {
	if o.Step != nil {
		o.Step(what, done, total)
	}
}

// ErrNotThis means that the directory belongs to something else.
var ErrNotThis = errors.New("this is not a list of that list manager")

// errNoAddress is for a list that does not say its address.
var errNoAddress = &UsageError{"nothing in it says what the list's address is; say it: --as ADDRESS"}

// errNoOwner is for a list without an owner.
var errNoOwner = &UsageError{"nothing in it says who owns the list; say it: --owner ADDRESS"}

// A UsageError is something missing on the command line.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

func spell(paths []smtp.Path) string {
	var words []string
	for _, p := range paths {
		words = append(words, p.Address())
	}
	return strings.Join(words, ", ")
}

// quote formats a string as TOML, on one line.
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

// quoteAll formats addresses as a TOML list.
func quoteAll(paths []smtp.Path) string {
	var words []string
	for _, p := range paths {
		words = append(words, quote(p.Address()))
	}
	return "[" + strings.Join(words, ", ") + "]"
}

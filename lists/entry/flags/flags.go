// Package flags reads the options of the programs that serve one connection. It is apart
// from package entry since superlist-spawn does not link package flag.
package flags

import (
	"flag"
	"fmt"
)

// A Set is the options of a program. All of them have -c FILE.
type Set struct {
	*flag.FlagSet
	Config string
}

// New returns a Set with -c alone. It prints nothing: standard error may be the client.
func New(program string) *Set {
	s := &Set{FlagSet: flag.NewFlagSet(program, flag.ContinueOnError)}
	s.Usage = func() {}
	s.StringVar(&s.Config, "c", "", "")
	return s
}

// Read parses what a program was called with, as an entry.Program has it.
func (s *Set) Read(args []string) (help bool, err error) {
	switch err := s.Parse(args); {
	case err == flag.ErrHelp:
		return true, nil
	case err != nil:
		return false, err
	case s.NArg() > 0:
		return false, fmt.Errorf("unknown argument %q", s.Arg(0))
	}
	return false, nil
}

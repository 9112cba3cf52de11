package entry

import (
	"fmt"
	"os"
	"runtime/debug"
)

// A Program serves one connection, and exits with 0 whatever happens: a launcher would
// make an alarm of anything else.
type Program struct {
	Manual string
	// Arguments reads what the program was called with, and reports whether that asks for
	// the manual.
	Arguments func(args []string) (help bool, err error)
	// Serve serves the client. It returns an error if we fail before the session begins.
	Serve func() error
	// Refuse is called in place of a session that cannot begin.
	Refuse func(error)
}

// Run is all that the program does.
func (p Program) Run() {
	if err := p.run(); err != nil {
		p.Refuse(err)
	}
}

// run makes an error of a panic before the session, which has a net of its own, or after
// it.
func (p Program) run() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	if err := hideStderr(); err != nil {
		return err
	}
	help, err := p.Arguments(os.Args[1:])
	if err != nil {
		return err
	}
	if help {
		fmt.Print(p.Manual)
		return nil
	}
	return p.Serve()
}

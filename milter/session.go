package milter

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"
)

// A Session is one connection as a Filter's callbacks see it.
type Session struct {
	Connection Connection // the client; zero if the MTA did not say
	Helo       string     // its HELO name

	filter  *Filter
	wire    *wire
	options Options
	macros  macros
	state   state
	open    bool // a client is connected, and Quit must be called for it
	skip    bool // the filter has had enough of the body
	body    body
	changes []Change
}

// state is the last command of the session, in the order of a session.
type state int

const (
	stNew state = iota
	stOptions
	stConnect
	stHelo
	stMail
	stRcpt
	stData
	stHeader
	stEOH
	stBody
)

// inMessage reports whether MAIL has come, but neither the end nor a verdict.
func (st state) inMessage() bool { return st >= stMail }

// ErrPanic wraps a panic in a callback, which ended the connection.
var ErrPanic = errors.New("milter: panic")

// serve is Filter.Serve.
func (s *Session) serve() (err error) {
	f := s.filter
	s.wire.readTimeout = cmp.Or(f.IdleTimeout, IdleTimeout)
	s.wire.writeTimeout = cmp.Or(f.WriteTimeout, WriteTimeout)
	defer func() {
		err = s.leave(err)
		if err != nil {
			s.log("%v", err)
		}
	}()
	for {
		code, data, err := s.wire.read()
		if err == io.EOF {
			// Postfix leaves without QUIT when the filter has refused the client.
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %s: %w", s.state, err)
		}
		done, err := s.command(Command(code), data)
		if done || err != nil {
			return errors.Join(err, s.wire.flush())
		}
	}
}

// leave tells the callbacks that the connection is over. Its error includes what goes
// wrong in them.
func (s *Session) leave(err error) error {
	return errors.Join(err, s.guard(func() error {
		s.abort()
		s.quit()
		return nil
	}))
}

// guard calls a callback and turns a panic into an error.
func (s *Session) guard(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, p, debug.Stack())
		}
	}()
	return call()
}

// command handles one packet; done reports whether it was the last.
func (s *Session) command(cmd Command, data []byte) (done bool, err error) {
	// A command newer than the agreed version is accepted, as libmilter does:
	// miltertest says DATA in every version.
	if (s.state == stNew) != (cmd == CmdOptNeg) {
		return false, fmt.Errorf("%w: %s after %s", ErrSequence, cmd, s.state)
	}
	switch cmd {
	case CmdOptNeg:
		return false, s.negotiate(data)
	case CmdMacro:
		return false, s.macro(data)
	case CmdAbort:
		return false, s.guard(func() error { s.abort(); return nil })
	case CmdQuit:
		return true, nil
	case CmdQuitNC:
		err := s.leave(nil)
		s.Connection, s.Helo, s.macros, s.state = Connection{}, "", macros{}, stOptions
		return false, err
	case CmdUnknown:
		text, err := decodeOne(cmd, data)
		if err != nil {
			return false, err
		}
		return false, s.answer(cmd, func() error { return call(s.filter.Unknown, s, text) })
	}
	if cmd.row().to == stNew {
		return false, fmt.Errorf("%w: unknown command %s", ErrPacket, cmd)
	}
	return false, s.step(cmd, data)
}

// negotiate answers the MTA's offer.
func (s *Session) negotiate(data []byte) error {
	offer, err := decodeOptions(data)
	if err == nil {
		offer, err = offer.normal()
	}
	if err == nil && s.filter.Negotiate != nil {
		err = s.guard(func() error { return s.filter.Negotiate(s, offer) })
	}
	if err != nil {
		return err
	}
	s.options = s.filter.answer(offer)
	s.state = stOptions
	s.wire.write(optNeg, s.options.encode())
	return nil
}

// macro stores the macros of the command that follows. Postfix sends them even for
// commands that it leaves out.
func (s *Session) macro(data []byte) error {
	cmd, list, err := decodeMacros(data)
	if err != nil {
		return err
	}
	s.macros.set(cmd, list)
	if s.filter.Macro == nil {
		return nil
	}
	return s.guard(func() error {
		for _, m := range list {
			s.filter.Macro(s, cmd, m)
		}
		return nil
	})
}

// step handles a command of the session's course.
func (s *Session) step(cmd Command, data []byte) error {
	row := cmd.row()
	if row.first == stMail && s.state < stMail && s.options.Protocol&NoMail != 0 {
		s.state = stMail // which the MTA left out, as it was asked to
	}
	if s.state < row.first || s.state > row.last {
		return fmt.Errorf("%w: %s after %s", ErrSequence, cmd, s.state)
	}
	run, err := s.decode(cmd, data)
	if err != nil {
		return err
	}
	if cmd == CmdHelo || cmd == CmdMail { // sendmail may start over without ABORT
		if err := s.guard(func() error { s.abort(); return nil }); err != nil {
			return err
		}
	}
	s.open = true
	if cmd != CmdEOM {
		s.state = row.to
		s.macros.forget(cmd)
		return s.answer(cmd, run)
	}
	err = s.answer(cmd, run)
	s.state = row.to
	s.forget()
	return err
}

// decode reads a command's data and returns the call of its callback.
func (s *Session) decode(cmd Command, data []byte) (run func() error, err error) {
	f := s.filter
	switch cmd {
	case CmdConnect:
		c, err := decodeConnection(data)
		return func() error { s.Connection = c; return call(f.Connect, s, c) }, err
	case CmdHelo:
		name, err := decodeOne(cmd, data)
		return func() error { s.Helo = name; return call(f.Helo, s, name) }, err
	case CmdMail:
		from, args, err := decodeArgs(cmd, data)
		return func() error { return callArgs(f.Mail, s, from, args) }, err
	case CmdRcpt:
		to, args, err := decodeArgs(cmd, data)
		return func() error { return callArgs(f.Rcpt, s, to, args) }, err
	case CmdData:
		return func() error { return callBare(f.Data, s) }, empty(cmd, data)
	case CmdHeader:
		name, value, err := decodeHeader(data)
		if s.options.Protocol&LeadingSpace == 0 {
			value = " " + value
		}
		return func() error { return callHeader(f.Header, s, name, value) }, err
	case CmdEOH:
		return func() error { return callBare(f.EOH, s) }, empty(cmd, data)
	case CmdBody:
		return s.bodyPiece(data), nil
	}
	body := s.bodyPiece(data)
	return func() error { // CmdEOM
		if len(data) > 0 { // as in libmilter
			if err := body(); err != nil && !errors.Is(err, Skip) {
				return err
			}
		}
		if err := s.body.rewind(); err != nil {
			return err
		}
		return callBare(f.EOM, s)
	}, nil
}

// bodyPiece returns the call for a piece of the body. If the MTA did not send the
// end of the header, EOH is called first: a filter that rebuilds the message must
// not mistake the body for a header.
func (s *Session) bodyPiece(data []byte) func() error {
	headed := s.state >= stEOH || s.options.Protocol&NoEOH != 0
	return func() error {
		if !headed {
			if err := callBare(s.filter.EOH, s); err != nil {
				return err
			}
		}
		return s.piece(data)
	}
}

// piece handles a piece of the body.
func (s *Session) piece(data []byte) error {
	if s.filter.KeepBody {
		if err := s.body.write(s.filter.TempDir, data); err != nil {
			return err
		}
	}
	if s.skip || s.filter.Body == nil {
		return nil
	}
	err := s.filter.Body(s, data)
	if errors.Is(err, Skip) && s.filter.KeepBody { // EOM needs all of it
		s.skip = true
		return nil
	}
	return err
}

// empty reports whether a command has no data.
func empty(cmd Command, data []byte) error {
	if len(data) > 0 {
		return bad(byte(cmd), "it has data")
	}
	return nil
}

func call[T any](callback func(*Session, T) error, s *Session, arg T) error {
	if callback == nil {
		return nil
	}
	return callback(s, arg)
}

func callBare(callback func(*Session) error, s *Session) error {
	if callback == nil {
		return nil
	}
	return callback(s)
}

func callArgs(callback func(*Session, string, []string) error, s *Session, addr string, args []string) error {
	if callback == nil {
		return nil
	}
	return callback(s, addr, args)
}

func callHeader(callback func(*Session, string, string) error, s *Session, name, value string) error {
	if callback == nil {
		return nil
	}
	return callback(s, name, value)
}

// abort ends a message that has not reached its end.
func (s *Session) abort() {
	if !s.state.inMessage() {
		return // MTAs send it after EOM too, where it undoes nothing
	}
	s.state = stHelo
	if s.filter.Abort != nil {
		s.filter.Abort(s)
	}
	s.forget()
}

// forget forgets the message.
func (s *Session) forget() {
	s.body.close()
	s.skip, s.changes = false, nil
}

// quit ends the client's connection.
func (s *Session) quit() {
	if s.open && s.filter.Quit != nil {
		s.filter.Quit(s)
	}
	s.open = false
}

// Macro returns the value of one of the MTA's macros, by its name with or without
// braces; empty if the MTA did not send it. The value of a later stage wins. A new
// message or recipient invalidates the values of the one before.
func (s *Session) Macro(name string) string { return s.macros.get(name) }

// Options returns what was agreed on with the MTA.
func (s *Session) Options() Options { return s.options }

// Body returns the whole body at EOM, if KeepBody is set. It is valid until EOM
// returns.
func (s *Session) Body() io.ReadSeeker { return s.body.reader() }

func (s *Session) log(format string, args ...any) {
	if s.filter.Log != nil {
		s.filter.Log(fmt.Sprintf(format, args...))
	}
}

// stateNames are the states as the log shows them.
var stateNames = [...]string{"the connection", "OPTNEG", "CONNECT", "HELO", "MAIL", "RCPT", "DATA", "HEADER", "EOH", "BODY"}

func (st state) String() string { return stateNames[st] }

// mayTick reports whether the MTA accepts a progress report here: sendmail only at the
// end of a message, Postfix wherever it waits for an answer.
func (s *Session) mayTick(cmd Command) bool {
	return cmd == CmdEOM || strings.HasPrefix(s.Macro("v"), "Postfix")
}

// work calls a callback, and reports progress while it runs.
func (s *Session) work(cmd Command, run func() error) error {
	if !s.mayTick(cmd) {
		return s.guard(run)
	}
	every := cmp.Or(s.filter.ProgressEvery, ProgressEvery)
	w := s.wire
	working := true
	var ticker *time.Timer
	w.mu.Lock()
	ticker = time.AfterFunc(every, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if working {
			writePacket(w.bw, progress)
			w.bw.Flush() // an error stays, and the next flush returns it
			ticker.Reset(every)
		}
	})
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		working = false
		w.mu.Unlock()
		ticker.Stop()
	}()
	return s.guard(run)
}

package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"time"
)

// deadliner is what a net.Conn supports and a pipe may not.
type deadliner interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// A wire is a connection with buffers. Written data is sent exactly when the reader is
// about to wait for the other side, or when the buffer is full. This alone makes
// pipelining (RFC 2920) work.
type wire struct {
	raw io.ReadWriter
	br  *bufio.Reader
	bw  *bufio.Writer

	held []byte // input that the program before had read: it comes first

	readTimeout, writeTimeout time.Duration // zero: none
	end                       time.Time     // end of the whole session; zero: none
	until                     time.Time     // end of the current request, however many reads it takes; zero: none
	rate                      time.Duration // how much each byte received extends until
	clock                     func() time.Time
	sleep                     func(time.Duration)
}

func newWire(raw io.ReadWriter) *wire {
	w := &wire{raw: raw, clock: time.Now, sleep: time.Sleep}
	w.br = bufio.NewReaderSize(fill{w}, wireBuffer)
	w.bw = bufio.NewWriterSize(drain{w}, wireBuffer)
	return w
}

// discard throws away the input that was read and not yet parsed.
func (w *wire) discard() {
	w.br.Discard(w.br.Buffered())
	w.held = nil
}

// deadline returns when a wait that starts now ends.
func (w *wire) deadline(timeout time.Duration) time.Time {
	if timeout == 0 {
		return w.end
	}
	t := w.clock().Add(timeout)
	if !w.end.IsZero() && t.After(w.end) {
		return w.end
	}
	return t
}

// fill reads for the wire's buffer.
type fill struct{ w *wire }

func (f fill) Read(p []byte) (int, error) {
	if len(f.w.held) > 0 {
		n := copy(p, f.w.held)
		f.w.held = f.w.held[n:]
		return n, nil
	}
	if err := f.w.bw.Flush(); err != nil {
		return 0, err
	}
	if d, ok := f.w.raw.(deadliner); ok {
		d.SetReadDeadline(f.w.readBy())
	}
	n, err := f.w.raw.Read(p)
	f.w.earn(n)
	return n, err
}

// request starts the wait for a client's request, which must arrive within timeout;
// each byte of it extends the time.
func (w *wire) request(timeout time.Duration) {
	w.until, w.rate = w.clock().Add(timeout), time.Second/MinDataRate
}

// earn extends the read deadline for n bytes received, but never beyond that of a
// request that begins now.
func (w *wire) earn(n int) {
	if w.rate == 0 || n <= 0 {
		return
	}
	w.until = w.until.Add(time.Duration(n) * w.rate)
	if most := w.clock().Add(w.readTimeout); w.until.After(most) {
		w.until = most
	}
}

// readBy returns when a read that starts now ends.
func (w *wire) readBy() time.Time {
	switch {
	case w.until.IsZero():
		return w.deadline(w.readTimeout)
	case !w.end.IsZero() && w.until.After(w.end):
		return w.end
	}
	return w.until
}

// early reports whether the other side has already spoken, as far as can be known
// without waiting.
func (w *wire) early() bool {
	p, ok := w.raw.(interface{ Pending() bool })
	return w.br.Buffered() > 0 || ok && p.Pending()
}

// drain writes from the wire's buffer.
type drain struct{ w *wire }

func (d drain) Write(p []byte) (int, error) {
	if t, ok := d.w.raw.(deadliner); ok {
		t.SetWriteDeadline(d.w.deadline(d.w.writeTimeout))
	}
	return d.w.raw.Write(p)
}

// Errors of readLine and readAuthLine. In each case the line has been read to its end.
var (
	errLineTooLong = errors.New("line too long")
	errAuthTooLong = errors.New("line of an authentication too long")
	errBareLF      = errors.New("line ended by LF alone")
	errBareCR      = errors.New("line with a CR or NUL in it")
)

// readLine reads a command line of at most MaxCommandLine bytes, or MaxAuthLine if it
// is AUTH, and returns it without its CRLF.
func (w *wire) readLine() (string, error) { return w.read(commandLimit) }

// readAuthLine reads a line of an exchange, of at most MaxAuthLine bytes.
func (w *wire) readAuthLine() (string, error) { return w.read(authLimit) }

// commandLimit returns the longest that a command line with this beginning may be, and
// the error for a longer one.
func commandLimit(line []byte) (int, error) {
	if verb := []byte("AUTH "); len(line) > len(verb) && bytes.EqualFold(line[:len(verb)], verb) {
		return authLimit(line)
	}
	return MaxCommandLine, errLineTooLong
}

func authLimit([]byte) (int, error) { return MaxAuthLine, errAuthTooLong }

func (w *wire) read(limit func(line []byte) (int, error)) (string, error) {
	line, err := w.br.ReadSlice('\n')
	most, tooLong := limit(line)
	long, cr := false, false
	for err == bufio.ErrBufferFull {
		long, cr = true, line[len(line)-1] == '\r'
		line, err = w.br.ReadSlice('\n')
	}
	switch {
	case err != nil:
		if err == io.EOF && (long || len(line) > 0) {
			err = io.ErrUnexpectedEOF
		}
		return "", err
	case !bytes.HasSuffix(line, crlf) && !(cr && len(line) == 1):
		return "", errBareLF
	case long, len(line) > most:
		return "", tooLong
	}
	line = line[:len(line)-len(crlf)]
	if bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0 {
		return "", errBareCR
	}
	return string(line), nil
}

var crlf = []byte("\r\n")

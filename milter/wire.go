package milter

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// wireBuffer is the read and write buffer: a piece of a body is 64 KiB.
const wireBuffer = 32 << 10

// Errors of the connection: the two sides are out of step.
var (
	// ErrPacket wraps what is wrong with a packet.
	ErrPacket = errors.New("milter: bad packet")
	// ErrSequence refuses a packet that may not come now.
	ErrSequence = errors.New("milter: out of order")
)

// deadliner is what a socket supports and a pipe may not.
type deadliner interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// A wire is a connection that carries packets: a length of four bytes, big endian, that
// counts what follows it; a byte for the kind; data. Written packets are sent when the
// reader is about to wait for the other side, so that the changes to a message and the
// verdict are one write. Two writes would cost tens of milliseconds over TCP, because
// of Nagle's algorithm.
type wire struct {
	raw io.ReadWriter
	br  *bufio.Reader
	buf []byte // of the last packet read

	readTimeout, writeTimeout time.Duration
	end                       time.Time // end of the whole connection; zero: none

	mu sync.Mutex // progress is reported while a callback runs
	bw *bufio.Writer
}

func newWire(raw io.ReadWriter) *wire {
	w := &wire{raw: raw}
	w.br = bufio.NewReaderSize(fill{w}, wireBuffer)
	w.bw = bufio.NewWriterSize(drain{w}, wireBuffer)
	return w
}

func (w *wire) deadline(timeout time.Duration) time.Time {
	t := time.Now().Add(timeout)
	if !w.end.IsZero() && t.After(w.end) {
		return w.end
	}
	return t
}

// fill reads for the wire's buffer.
type fill struct{ w *wire }

func (f fill) Read(p []byte) (int, error) {
	if err := f.w.flush(); err != nil {
		return 0, err
	}
	if d, ok := f.w.raw.(deadliner); ok {
		d.SetReadDeadline(f.w.deadline(f.w.readTimeout))
	}
	return f.w.raw.Read(p)
}

// drain writes from the wire's buffer.
type drain struct{ w *wire }

func (d drain) Write(p []byte) (int, error) {
	if t, ok := d.w.raw.(deadliner); ok {
		t.SetWriteDeadline(d.w.deadline(d.w.writeTimeout))
	}
	return d.w.raw.Write(p)
}

func (w *wire) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bw.Flush()
}

// write puts a packet into the buffer. An error stays there until flush.
func (w *wire) write(code byte, data ...[]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	writePacket(w.bw, code, data...)
}

func writePacket(bw *bufio.Writer, code byte, data ...[]byte) {
	n := 1
	for _, d := range data {
		n += len(d)
	}
	var head [5]byte
	binary.BigEndian.PutUint32(head[:], uint32(n))
	head[4] = code
	bw.Write(head[:])
	for _, d := range data {
		bw.Write(d)
	}
}

// read returns the next packet. Its data are valid until the next call. io.EOF means
// that the connection ended between two packets.
func (w *wire) read() (code byte, data []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(w.br, head[:4]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	switch {
	case n == 0:
		return 0, nil, fmt.Errorf("%w: its length is zero", ErrPacket)
	case n-1 > MaxReceive:
		return 0, nil, fmt.Errorf("%w: a length of %d bytes (%q)", ErrPacket, n, head[:4])
	}
	if _, err := io.ReadFull(w.br, head[4:]); err != nil {
		return 0, nil, whole(err)
	}
	// The buffer grows with what arrives, not with what was announced.
	w.buf = w.buf[:0]
	for left := int(n - 1); left > 0; {
		at := len(w.buf)
		step := min(left, wireBuffer)
		w.buf = append(w.buf, make([]byte, step)...)
		if _, err := io.ReadFull(w.br, w.buf[at:]); err != nil {
			return 0, nil, whole(err)
		}
		left -= step
	}
	return head[4], w.buf, nil
}

// whole returns the error for a connection that ended inside a packet.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

package serve

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strings"
	"time"
)

// A Conn is the connection of a client.
type Conn interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
	Linger() // until the client has the last of the answer
}

// ServeOne answers one request on a connection. It does without http.Server, which
// brings TLS and HTTP/2, a tenth of what a request costs. No client keeps the connection,
// so little of a server is needed.
func ServeOne(h http.Handler, c Conn) error {
	now := time.Now()
	c.SetReadDeadline(now.Add(maxRequest))
	c.SetWriteDeadline(now.Add(maxLifetime))
	limit := &io.LimitedReader{R: c, N: maxHeader}
	in := bufio.NewReader(limit)
	r, err := http.ReadRequest(in)
	w := &reply{out: bufio.NewWriter(c), header: make(http.Header), request: r}
	status := 0
	switch {
	case limit.N <= 0 && err != nil:
		status = http.StatusRequestHeaderFieldsTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil // they have gone
	case err != nil:
		status = http.StatusBadRequest
	default:
		status = refuses(r)
	}
	if status != 0 {
		w.request = nil
		http.Error(w, http.StatusText(status), status)
		return w.end(c)
	}
	limit.N = math.MaxInt64
	r.RemoteAddr = onSocket
	if strings.EqualFold(r.Header.Get("Expect"), "100-continue") && r.ProtoAtLeast(1, 1) && r.ContentLength != 0 {
		r.Body = &expected{r.Body, w.out}
	}
	defer func() {
		if p := recover(); p != nil { // it goes into the log
			if !w.begun {
				Unavailable(w, r)
				w.end(c)
			}
			panic(p)
		}
	}()
	if !answered(h, w, r) {
		w.out.Flush() // without its end
		return nil
	}
	return w.end(c)
}

// onSocket stands for the address of a client that only the proxy knows.
const onSocket = "stdio"

// refuses returns the status for a request that no handler should see; 0: none.
func refuses(r *http.Request) int {
	if r.ProtoMajor != 1 {
		return http.StatusHTTPVersionNotSupported
	}
	if r.Host == "" && r.ProtoAtLeast(1, 1) || strings.ContainsFunc(r.Host, blank) { // RFC 9112, 3.2
		return http.StatusBadRequest
	}
	if e := r.Header.Get("Expect"); e != "" && !strings.EqualFold(e, "100-continue") {
		return http.StatusExpectationFailed
	}
	for name, values := range r.Header {
		if strings.ContainsFunc(name, blank) {
			return http.StatusBadRequest
		}
		for _, v := range values {
			if strings.ContainsFunc(v, func(c rune) bool { return c != ' ' && c != '\t' && blank(c) }) {
				return http.StatusBadRequest
			}
		}
	}
	return 0
}

// blank reports whether a character is not visible: ReadRequest lets some pass.
func blank(c rune) bool { return c <= ' ' || c == 0x7f }

// An expected body is sent once we say so: RFC 9110, 10.1.1.
type expected struct {
	io.ReadCloser
	out *bufio.Writer // nil: said
}

func (e *expected) Read(p []byte) (int, error) {
	if e.out != nil {
		io.WriteString(e.out, "HTTP/1.1 100 Continue\r\n\r\n")
		if err := e.out.Flush(); err != nil {
			return 0, err
		}
		e.out = nil
	}
	return e.ReadCloser.Read(p)
}

// A reply is an answer on the wire.
type reply struct {
	out     *bufio.Writer
	header  http.Header
	request *http.Request // nil: it could not be read
	begun   bool
	chunks  bool // its end is marked, so that half of it is not taken for all: RFC 9112, 7.1
}

func (w *reply) Header() http.Header { return w.header }

// WriteHeader begins the answer; what is set in the header later is not sent.
func (w *reply) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	w.header.Set("Connection", "close")
	if w.header.Get("Date") == "" {
		w.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	minor := 1
	if w.request != nil {
		minor = w.request.ProtoMinor
	}
	if w.chunks = minor > 0 && w.header.Get("Content-Length") == "" && w.hasBody(); w.chunks {
		w.header.Set("Transfer-Encoding", "chunked")
	}
	fmt.Fprintf(w.out, "HTTP/1.%d %d %s\r\n", min(minor, 1), status, http.StatusText(status))
	w.header.Write(w.out)
	w.out.WriteString("\r\n")
}

// hasBody reports whether a text follows the header. No answer of ours has a status
// without one.
func (w *reply) hasBody() bool { return w.request == nil || w.request.Method != http.MethodHead }

func (w *reply) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	if !w.hasBody() || len(p) == 0 {
		return len(p), nil
	}
	if !w.chunks {
		return w.out.Write(p)
	}
	fmt.Fprintf(w.out, "%x\r\n", len(p))
	n, err := w.out.Write(p)
	if err == nil {
		_, err = w.out.WriteString("\r\n")
	}
	return n, err
}

// end completes the answer.
func (w *reply) end(c Conn) error {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	if w.chunks {
		w.out.WriteString("0\r\n\r\n")
	}
	if w.out.Flush() == nil { // else the client has gone, which is no fault of ours
		c.Linger()
	}
	return nil
}

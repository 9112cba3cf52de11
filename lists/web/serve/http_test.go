package serve

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// exchange sends a request over a connection, whose client then only reads, and returns
// the answer.
func exchange(t *testing.T, h http.HandlerFunc, request string) string {
	t.Helper()
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		defer func() { recover() }()
		ServeOne(h, piped{server})
	}()
	go io.WriteString(client, request)
	answer, err := io.ReadAll(client)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// TestServeAsNet: an answer is what net/http's own server says, but for how its length
// is marked.
func TestServeAsNet(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/length":
			w.Header().Set("Content-Length", "5")
		case "/see":
			w.Header().Set("Location", "/there")
			w.WriteHeader(http.StatusSeeOther)
			return
		case "/gone":
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusGone)
		case "/nothing":
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "half a body", http.StatusBadRequest)
			return
		}
		io.WriteString(w, "hel")
		io.WriteString(w, "lo")
		w.Write(body)
	})
	s := httptest.NewUnstartedServer(h)
	s.Config.SetKeepAlivesEnabled(false)
	s.Start()
	defer s.Close()
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n",
		"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /length HTTP/1.1\r\nHost: x\r\n\r\n",
		"HEAD /length HTTP/1.0\r\nHost: x\r\n\r\n",
		"GET /see HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /gone HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n you",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n you\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n you",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n you",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nX: a\x01b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
		"GET / HTTP/3.0\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n",
		"GET x HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET http://x/length HTTP/1.1\r\nHost: y\r\n\r\n",
		"G(T / HTTP/1.1\r\nHost: x\r\n\r\n",
		"\r\n\r\n",
	} {
		ours := exchange(t, h, request)
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, request)
		theirs, _ := io.ReadAll(c)
		c.Close()
		if seen(t, request, ours) != seen(t, request, string(theirs)) {
			t.Errorf("%q\nwe:   %q\nthey: %q", request, ours, theirs)
		}
	}
}

// seen is what a client makes of an answer.
func seen(t *testing.T, request, answer string) string {
	t.Helper()
	method, _, _ := strings.Cut(request, " ")
	r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), &http.Request{Method: method})
	if err != nil {
		return "none"
	}
	body, err := io.ReadAll(r.Body)
	if r.StatusCode >= 400 && r.StatusCode != http.StatusGone { // in words of our own
		return "refused"
	}
	if r.Header.Get("Date") == "" || !r.Close {
		t.Errorf("%q: %q", request, answer)
	}
	r.Header.Del("Content-Length")
	r.Header.Del("Connection")
	r.Header.Del("Date")
	var header strings.Builder
	r.Header.Write(&header)
	if err != nil {
		body = append(body, err.Error()...)
	}
	return r.Proto + " " + r.Status + "\n" + header.String() + "\n" + string(body)
}

// TestServeContinue: a client that waits before it sends a form is told to send it, and
// one that is refused before that sends none.
func TestServeContinue(t *testing.T) {
	for reads, want := range map[bool]string{true: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", false: "HTTP/1.1 200 OK\r\n"} {
		got := exchange(t, func(w http.ResponseWriter, r *http.Request) {
			if reads {
				io.ReadAll(r.Body)
			}
		}, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc")
		if !strings.HasPrefix(got, want) {
			t.Errorf("reads %t: %q", reads, got)
		}
	}
}

// TestServeBroken: half an answer does not look whole, and a fault of ours before it is a
// 503.
func TestServeBroken(t *testing.T) {
	half := exchange(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	}, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if got := seen(t, "GET /", half); !strings.HasSuffix(got, "half"+io.ErrUnexpectedEOF.Error()) {
		t.Errorf("%q", half)
	}
	fault := exchange(t, func(http.ResponseWriter, *http.Request) { panic("no") }, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if !strings.HasPrefix(fault, "HTTP/1.1 503 ") || !strings.Contains(fault, "Retry-After: 300\r\n") {
		t.Errorf("%q", fault)
	}
}

// TestServeSlow: a client that sends half a request is given up.
func TestServeSlow(t *testing.T) {
	for _, request := range []string{"", "GET /", "GET / HTTP/1.1\r\nHost: x\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab"} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			answer := exchange(t, func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.ReadAll(r.Body); err != nil {
					w.WriteHeader(http.StatusBadRequest)
				}
			}, request)
			if took := time.Since(began); took > maxRequest || strings.HasPrefix(answer, "HTTP/1.1 2") {
				t.Errorf("%q: %v %q", request, took, answer)
			}
		})
	}
}

// sent is a connection of a client that has sent all of it.
type sent struct {
	io.Reader
	bytes.Buffer
}

func (s *sent) Read(p []byte) (int, error)       { return s.Reader.Read(p) }
func (s *sent) SetReadDeadline(time.Time) error  { return nil }
func (s *sent) SetWriteDeadline(time.Time) error { return nil }
func (s *sent) Linger()                          {}

// FuzzServeOne: whatever bytes come, there is no answer or one, which net/http can read, and
// the handler sees no request that its server would not show it.
func FuzzServeOne(f *testing.F) {
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD /a?b HTTP/1.0\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n you\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n you", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		f.Add([]byte(request))
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		c := &sent{Reader: bytes.NewReader(request)}
		var got *http.Request
		err := ServeOne(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("Content-Type", "text/plain")
			w.Write(body)
		}), c)
		if err != nil {
			t.Errorf("%q: %v", request, err)
		}
		if got != nil && (got.ProtoMajor != 1 || got.ProtoMinor > 0 && got.Host == "" || strings.ContainsAny(got.Host, " \r\n\x00") || got.Header.Get("Transfer-Encoding") != "") {
			t.Errorf("%q: the handler sees %+v", request, got)
		}
		for name, values := range map[string][]string(headerOf(got)) {
			if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
				t.Errorf("%q: %q: %q", request, name, values)
			}
		}
		answer := c.Bytes()
		if rest, ok := bytes.CutPrefix(answer, []byte("HTTP/1.1 100 Continue\r\n\r\n")); ok {
			answer = rest
		}
		if len(answer) == 0 {
			if got != nil {
				t.Errorf("%q: no answer", request)
			}
			return
		}
		if got == nil {
			got = &http.Request{Method: "GET"}
		}
		in := bufio.NewReader(bytes.NewReader(answer))
		r, err := http.ReadResponse(in, got)
		if err != nil {
			t.Fatalf("%q: %v: %q", request, err, answer)
		}
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Errorf("%q: %v: %q", request, err, answer)
		}
		if rest, _ := io.ReadAll(in); len(rest) > 0 || !r.Close && r.ProtoMinor == 1 {
			t.Errorf("%q: behind the answer there is %q", request, rest)
		}
	})
}

func headerOf(r *http.Request) http.Header {
	if r == nil {
		return nil
	}
	return r.Header
}

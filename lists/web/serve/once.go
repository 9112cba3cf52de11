package serve

import (
	"net/http"
	"net/http/cgi"
	"os"
	"time"
)

// Limits of one request, so that a slow crawler, or one that requests a large thread,
// cannot hold a process for long.
const (
	maxHeader   = 12 << 10
	maxRequest  = 10 * time.Second // until the request is complete
	maxAnswer   = 60 * time.Second
	maxLifetime = maxRequest + maxAnswer
)

// Once answers one request: as a CGI program (RFC 3875) if the environment says so,
// otherwise HTTP on a connection, behind a proxy.
func Once(h http.Handler, c Conn) error {
	time.AfterFunc(maxLifetime, func() { os.Exit(0) })
	if os.Getenv("GATEWAY_INTERFACE") == "" {
		return ServeOne(h, c)
	}
	return cgi.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answered(h, w, r) }))
}

// answered reports whether the handler has answered a request to its end. If not, what
// it was sending is at fault, and the client learns so from half an answer.
func answered(h http.Handler, w http.ResponseWriter, r *http.Request) (whole bool) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return true
}

// When a client is to come again, in seconds: after a local fault, and after a day's limit.
const (
	retryTrouble = "300"
	retryTooMuch = "86400"
)

// Unavailable tells the client to come again, after a local fault.
var Unavailable = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", retryTrouble)
	http.Error(w, "this host has trouble; please come again later", http.StatusServiceUnavailable)
})

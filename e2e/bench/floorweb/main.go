// Floorweb is the least that a Go program does which answers a request by CGI: what
// superlist-web costs beyond it is what superlist does.
package main

import (
	"io"
	"net/http"
	"net/http/cgi"
)

func main() {
	cgi.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello\n") }))
}

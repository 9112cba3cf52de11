// Package webserver writes the configuration that a web server needs for the pages of
// archives, and for what superlist-web answers.
package webserver

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"superlist/lists/web"
)

//go:embed *.conf Caddyfile
var files embed.FS

// Names are the supported web servers.
var Names = []string{"nginx", "apache", "lighttpd", "caddy"}

// A Plan says what a configuration must contain.
type Plan struct {
	Domains  []string
	Root     string // of the pages: a domain has a directory in it
	TLS      bool   // browsers come by https
	Requests bool   // superlist-web answers what is no file
	FastCGI  string // the socket of fcgiwrap(8), which runs as the user of superlist; empty: requests go to Socket
	Socket   string // of superlist-web: HOST:PORT
	Program  string // superlist-web
}

type header struct{ Name, Value string }

// headers are those that pages need. superlist-web sets its own.
var headers = []header{
	{"Content-Security-Policy", web.ContentPolicy},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
}

// pages are the paths of files, for a web server that cannot ask whether there is one.
const pages = `^/(robots\.txt|[^/]+/` + web.Files + `)$`

// Write returns the configuration for a web server.
func (p Plan) Write(server string) ([]byte, error) {
	name := server + ".conf"
	if server == "caddy" {
		name = "Caddyfile"
	}
	if !slices.Contains(Names, server) {
		return nil, fmt.Errorf("there is no configuration for %q; SERVER is %s", server, strings.Join(Names, ", "))
	}
	if server == "lighttpd" && p.FastCGI != "" {
		return nil, errors.New("lighttpd cannot tell fcgiwrap which program to start: let it use the socket of superlist-web, without --fcgiwrap")
	}
	t, err := template.ParseFS(files, name)
	if err != nil {
		return nil, err
	}
	for _, text := range []string{p.Root, p.Program, p.FastCGI, p.Socket} {
		if strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || strings.ContainsRune("\"'\\;{}$#%|`", c) }) {
			return nil, fmt.Errorf("%q cannot stand in the configuration of a web server", text)
		}
	}
	host, port, err := net.SplitHostPort(p.Socket)
	if err != nil {
		return nil, err
	}
	type domain struct{ Host, Root, Pattern string }
	data := struct {
		Plan
		Domains                                   []domain
		Headers                                   []header
		Files, ProgramDir, SocketHost, SocketPort string
	}{Plan: p, Headers: headers, Files: pages, ProgramDir: filepath.Dir(p.Program), SocketHost: host, SocketPort: port}
	for _, d := range p.Domains {
		data.Domains = append(data.Domains, domain{d, filepath.Join(p.Root, d), regexp.QuoteMeta(d)})
	}
	var b bytes.Buffer
	err = t.Execute(&b, data)
	return b.Bytes(), err
}

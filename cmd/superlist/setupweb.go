package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"superlist/cmd/superlist/webserver"
	"superlist/lists"
	"superlist/lists/entry"
	"superlist/lists/site"
	"superlist/smtp"
)

// webSocket is where contrib/systemd/superlist-web.socket listens.
const webSocket = "127.0.0.1:10031"

func (a *app) setupWebCommand() *cobra.Command {
	var domains []string
	var socket, fcgiwrap string
	c := &cobra.Command{
		Use: "web SERVER", Short: "Print the configuration of a web server for the archives",
		Long: `Print what nginx, apache, lighttpd or caddy needs to show the archives of this
host: a virtual server for each domain that has a list, with its directory, its
headers and limits. If superlist.toml has requests = true below [web], requests
for anything but files go to superlist-web: to the socket of its systemd unit,
or with --fcgiwrap to that of an fcgiwrap(8) that runs as root or the user of
superlist.

Nothing is changed. The first lines of what is printed say where it goes.`,
		Example: `  superlist setup web nginx > /etc/nginx/conf.d/superlist.conf
  superlist setup web apache --domain lists.example.org
  superlist setup web nginx --fcgiwrap /run/superlist-fcgi.socket`,
		Args: args(cobra.ExactArgs(1)), ValidArgs: webserver.Names,
		RunE: func(c *cobra.Command, arg []string) error {
			s, err := a.site()
			if err != nil {
				return err
			}
			p, err := webPlan(s, domains)
			if err != nil {
				return err
			}
			p.Socket, p.FastCGI = socket, fcgiwrap
			text, err := p.Write(arg[0])
			if err != nil {
				return usageError{err}
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
	c.Flags().StringSliceVar(&domains, "domain", nil, "domain of lists (else those that have lists); may be repeated")
	c.Flags().StringVar(&socket, "socket", webSocket, "HOST:PORT on which superlist-web answers HTTP")
	c.Flags().StringVar(&fcgiwrap, "fcgiwrap", "", "socket of an fcgiwrap that starts superlist-web")
	return c
}

// webPlan returns what a web server needs to know about this site.
func webPlan(s *site.Site, domains []string) (webserver.Plan, error) {
	p := webserver.Plan{Root: s.Web.Root, Requests: s.Web.Requests}
	var rest string
	if rest, p.TLS = strings.CutPrefix(s.Web.URL, "https://"); !p.TLS {
		rest = strings.TrimPrefix(rest, "http://")
	}
	if strings.TrimSuffix(rest, "/") != "{domain}" {
		return p, &exitError{exConfig, fmt.Errorf("%s: web.url is %q, and the configurations are for \"https://{domain}\": for another one begin with what is printed for that", s.File(), s.Web.URL)}
	}
	self, err := os.Executable()
	if err != nil {
		return p, err
	}
	p.Program = filepath.Join(filepath.Dir(self), entry.WebProgram)
	if len(domains) == 0 {
		have := make(map[string]bool)
		err = lists.Of(s).All(func(addr smtp.Path, _ *lists.List, _ error) bool {
			have[addr.Domain] = true
			return true
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return p, err
		}
		domains = slices.Sorted(maps.Keys(have))
	}
	if p.Domains, err = domainNames(domains); err != nil {
		return p, err
	}
	if len(p.Domains) == 0 {
		return p, &exitError{exUnavailable, errors.New("there are no lists yet: make one, or name their domain with --domain")}
	}
	return p, nil
}

// domainNames returns domains as DNS has them.
func domainNames(given []string) (names []string, err error) {
	for _, d := range given {
		ascii, ok := smtp.ASCIIDomain(d)
		if !ok {
			return nil, usageError{fmt.Errorf("%q is not the name of a domain", d)}
		}
		names = append(names, ascii)
	}
	return names, nil
}

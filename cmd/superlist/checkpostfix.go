package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/cmd/superlist/postfix"
	"superlist/lists/config"
	"superlist/smtp"
)

// listHeaders is roughly how many bytes a list's own header fields add to a post.
const listHeaders = 16 << 10

// A mailServer is the Postfix of this host, as postconf(1) shows it to the caller of
// check.
type mailServer struct {
	ctx      context.Context
	services []postfix.Service
}

// newMailServer asks postconf(1) for master.cf. It returns nil if there is no Postfix,
// or if its configuration cannot be read.
func newMailServer(ctx context.Context) *mailServer {
	p := &mailServer{ctx: ctx}
	out, err := p.run("postconf", "-M")
	if err != nil {
		return nil
	}
	p.services = postfix.Services(out)
	return p
}

func (p *mailServer) run(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(p.ctx, connectTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).Output()
	return string(bytes.TrimSpace(out)), err
}

// setting returns the value of a parameter of main.cf, with $names expanded.
func (p *mailServer) setting(name string) string {
	value, _ := p.run("postconf", "-x", "-h", name)
	return value
}

// frontDoor returns the service that receives mail from the world: smtpd(8), or the
// postscreen(8) in front of it.
func (p *mailServer) frontDoor() (postfix.Service, bool) {
	i := slices.IndexFunc(p.services, func(s postfix.Service) bool {
		return s.Kind == "inet" && (s.Command == "smtpd" || s.Command == "postscreen") && (s.Port() == "smtp" || s.Port() == "25")
	})
	if i < 0 {
		return postfix.Service{}, false
	}
	return p.services[i], true
}

// option returns the value of "-o name=value" in the service, or else of main.cf.
func (p *mailServer) option(s postfix.Service, name string) string {
	if value, ok := s.Option(name); ok {
		return value
	}
	return p.setting(name)
}

// lookup asks a list of tables, type:name each, for the first of the keys that one of
// them has.
func (p *mailServer) lookup(tables string, keys ...string) string {
	for _, key := range keys {
		for _, table := range postfix.Words(tables) {
			if value, err := p.run("postmap", "-q", key, table); err == nil && value != "" {
				return value
			}
		}
	}
	return ""
}

// names reports whether a list of domains includes this one: directly, in a file, in a
// table, or, with parents, by a parent domain.
func (p *mailServer) names(list, domain string, parents bool) bool {
	for _, item := range postfix.Words(list) {
		switch {
		case strings.HasPrefix(item, "!"):
			if p.names(item[1:], domain, parents) {
				return false
			}
		case strings.HasPrefix(item, "/"):
			if data, err := os.ReadFile(item); err == nil && p.names(string(data), domain, parents) {
				return true
			}
		case strings.Contains(item, ":"):
			if p.lookup(item, domain) != "" {
				return true
			}
		case strings.EqualFold(item, domain), parents && strings.HasSuffix(strings.ToLower(domain), "."+strings.ToLower(item)):
			return true
		}
	}
	return false
}

// A class is a set of domains that Postfix accepts mail for, and the parameter that
// says where that mail goes.
type class struct{ domains, transport string }

var classes = []class{
	{"relay_domains", "relay_transport"},
	{"mydestination", "local_transport"},
	{"virtual_mailbox_domains", "virtual_transport"},
	{"virtual_alias_domains", ""},
}

// class returns the class of a domain.
func (p *mailServer) class(domain string) (class, bool) {
	parents := slices.Contains(postfix.Words(p.setting("parent_domain_matches_subdomains")), "relay_domains")
	for _, c := range classes {
		if p.names(p.setting(c.domains), domain, parents && c.domains == "relay_domains") {
			return c, true
		}
	}
	return class{}, false
}

// postfix checks the Postfix of this host, if there is one: whether mail for the lists
// finds its way through it.
func (k *checker) postfix(found []smtp.Path) {
	p := newMailServer(k.ctx)
	if p == nil {
		return // no Postfix here, or not readable
	}
	limit := config.Size(0)
	if err := limit.UnmarshalText([]byte(p.setting("message_size_limit"))); err == nil && limit > 0 && limit < k.site.MaxMessageSize+listHeaders {
		k.warn("postfix", fmt.Sprintf("message_size_limit is %s and max_message_size %s, so the largest posts are accepted and cannot be sent", limit, k.site.MaxMessageSize),
			fmt.Sprintf("postconf message_size_limit=%d, or a lower max_message_size", k.site.MaxMessageSize+1<<20))
	}
	k.programs(p)
	door, open := p.frontDoor()
	if !open {
		return // mail from the world arrives another way
	}
	seen := map[string]bool{}
	for _, list := range found {
		if !seen[list.Domain] {
			seen[list.Domain] = true
			k.wayIn(p, door, list)
		}
	}
}

// setup checks that a change made by superlist setup postfix is complete. It runs as
// the caller, since the copies of main.cf belong to root.
func (k *checker) setup() {
	p := newMailServer(k.ctx)
	if p == nil {
		return
	}
	dir, err := p.run("postconf", "-h", "config_directory")
	if err != nil {
		return
	}
	host := postfix.Host{Dir: dir}
	switch _, state, err := host.Look(); {
	case errors.Is(err, fs.ErrPermission):
	case err != nil:
		k.warn("setup postfix", err.Error(), "compare main.cf and master.cf with the copies in there, then remove it")
	case state == postfix.Interrupted:
		k.warn("setup postfix", "a change of "+dir+" was interrupted; Postfix works as before it", interrupted)
	}
}

// programs checks that superlist's programs that spawn(8) starts exist.
func (k *checker) programs(p *mailServer) {
	for _, s := range p.services {
		program := s.Program()
		if !strings.Contains(program, "superlist") {
			continue
		}
		if err := unix.Access(program, unix.X_OK); err != nil {
			k.wrong("master.cf", fmt.Sprintf("the service %s starts %s: %v", s.Name, program, err),
				"set argv= to where make install has put it, then postfix reload")
		}
	}
}

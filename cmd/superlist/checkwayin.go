package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"superlist/cmd/superlist/postfix"
	"superlist/lists/site"
	"superlist/smtp"
)

// frontDoorTimeout is how long check waits for Postfix to answer for a recipient. With
// address verification Postfix may ask superlist first, three times, a second apart.
const frontDoorTimeout = 15 * time.Second

// wayIn checks that mail for one domain's lists reaches superlist through Postfix:
// Postfix knows the domain, main.cf names a superlist that answers, and the front door
// accepts a recipient. list is one of the domain's lists.
func (k *checker) wayIn(p *mailServer, door postfix.Service, list smtp.Path) {
	about := "postfix " + list.Domain
	class, known := p.class(list.Domain)
	if !known {
		k.wrong(about, "Postfix does not know this domain, so it refuses mail for its lists (554 5.7.1 Relay access denied)",
			"add "+list.Domain+" to relay_domains in main.cf, then postfix reload")
		return
	}
	ways, broken := 0, false
	try := func(setting, value string) (ours bool) {
		target, ok := transportTarget(value)
		if !ok {
			return false
		}
		switch err := k.reaches(target, list); {
		case err == nil:
			ways++
			return true
		case errors.Is(err, errNotOurs):
			return false
		default:
			broken = true
			k.wrong(about, fmt.Sprintf("%s = %s: %v", setting, value, err),
				"name the address of the service that starts superlist-spawn: "+p.sessions())
			return true
		}
	}
	try("smtpd_proxy_filter", p.option(door, "smtpd_proxy_filter"))
	ways += k.asMilter(p, about, p.option(door, "smtpd_milters"))
	setting, transport := "transport_maps", p.lookup(p.setting("transport_maps"), list.Address(), list.Domain)
	if transport == "" {
		setting, transport = class.transport, p.setting(class.transport)
	}
	back := try(setting, transport)
	switch {
	case broken:
		return
	case ways == 0:
		k.wrong(about, "nothing in main.cf brings mail for this domain to superlist", "see docs/postfix.md")
		return
	case !back:
		k.warn(about, "mail that Postfix itself sends to these lists, above all bounces, does not reach superlist",
			"set relay_transport or transport_maps as docs/postfix.md has it")
	}
	if err := k.frontDoor(door, list); err != nil {
		k.wrong(about, fmt.Sprintf("RCPT TO:<%s> at %s: %v", list.Address(), door.Address(), err), "the log of Postfix says why")
		return
	}
	if err := k.reportsCome(door, list); err != nil {
		k.wrong(about, "delivery reports cannot come back: "+err.Error(), "make Postfix accept all addresses of "+list.Domain+" that superlist accepts; see docs/postfix.md")
	}
	k.ok(about, "accepts mail for %s", list.Address())
	k.probe(door, list)
}

// sessions returns the addresses at which master.cf has sessions of superlist.
func (p *mailServer) sessions() string {
	var names []string
	for _, s := range p.services {
		if strings.Contains(s.Program(), "superlist-spawn") || strings.Contains(s.Program(), "superlist-session") {
			names = append(names, s.Name)
		}
	}
	if names == nil {
		return "master.cf has none, append postfix-master.cf.example"
	}
	return strings.Join(names, ", ")
}

// asMilter counts the entries of smtpd_milters that are superlist-milter, and checks
// that master.cf has the service that each of them names.
func (k *checker) asMilter(p *mailServer, about, milters string) (n int) {
	for _, m := range postfix.Words(milters) {
		if m = strings.Trim(m, "{}"); len(postfix.Words(m)) > 0 {
			m = postfix.Words(m)[0]
		}
		name := strings.TrimPrefix(m, "inet:")
		if path, ok := strings.CutPrefix(m, "unix:"); ok {
			name = path[strings.LastIndexByte(path, '/')+1:]
		}
		switch ours := p.starts(name, "superlist-milter"); {
		case ours:
			n++
		case strings.Contains(name, "superlist-milter"):
			k.wrong(about, fmt.Sprintf("smtpd_milters names %s, and master.cf has no such service", m), "append postfix-master.cf.example to master.cf")
		}
	}
	return n
}

// starts reports whether a service of master.cf starts the given program.
func (p *mailServer) starts(name, program string) bool {
	return slices.ContainsFunc(p.services, func(s postfix.Service) bool { return s.Name == name && strings.Contains(s.Program(), program) })
}

// transportTarget parses a transport or a proxy filter: lmtp:[host]:port, smtp:…,
// host:port, unix:/path. ok is true if it names an address on which superlist may
// listen.
func transportTarget(value string) (t site.Target, ok bool) {
	value, _ = strings.CutPrefix(value, "lmtp:")
	value, _ = strings.CutPrefix(value, "smtp:")
	value, _ = strings.CutPrefix(value, "inet:")
	if path, unix := strings.CutPrefix(value, "unix:"); unix {
		return site.Target{Network: "unix", Address: path}, strings.HasPrefix(path, "/")
	}
	host, port, err := net.SplitHostPort(value)
	if err != nil || port == "" { // discard:, error: and the like
		return t, false
	}
	return site.Target{Network: "tcp", Address: net.JoinHostPort(strings.Trim(host, "[]"), port)}, true
}

// errNotOurs means that something other than superlist answers.
var errNotOurs = errors.New("not superlist")

// reaches asks a session of superlist whether it accepts mail for a list.
func (k *checker) reaches(t site.Target, list smtp.Path) error {
	return k.ask(t.Network, t.Address, connectTimeout, func(greeting string, c *smtp.Client) error {
		if !strings.HasSuffix(greeting, smtp.Banner) {
			return errNotOurs
		}
		return takes(c, list)
	})
}

// frontDoor asks Postfix whether it accepts mail for a list from this host.
func (k *checker) frontDoor(s postfix.Service, list smtp.Path) error {
	return k.ask("tcp", s.Address(), frontDoorTimeout, func(_ string, c *smtp.Client) error { return takes(c, list) })
}

// takes says MAIL and RCPT as address verification does: with the null sender, and
// without a message.
func takes(c *smtp.Client, list smtp.Path) error {
	for _, line := range []string{"MAIL FROM:<>", "RCPT TO:<" + list.Address() + ">"} {
		reply, err := c.Command(line)
		if err != nil {
			return err
		}
		if reply.Code/100 != 2 {
			return reply
		}
	}
	return nil
}

// ask talks to a server, within a time limit.
func (k *checker) ask(network, address string, limit time.Duration, talk func(greeting string, c *smtp.Client) error) error {
	ctx, cancel := context.WithTimeout(k.ctx, limit)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(limit))
	br := bufio.NewReader(conn)
	br.Peek(1)
	greeting, _ := br.Peek(br.Buffered())
	said := strings.TrimSpace(string(greeting))
	client := &smtp.Client{Hostname: k.site.Hostname}
	if err := client.Start(struct {
		io.Reader
		io.Writer
	}{br, conn}); err != nil {
		return err
	}
	defer client.Quit()
	return talk(said, client)
}

// Package milters asks the site's mail filters about a message before the lists see it:
// opendkim, rspamd, clamav-milter and so on.
//
// The filters are asked one after the other, when the whole message is here, and each
// of them sees what those before it have made of it. The package refuses to change
// recipients and sender for a filter: who gets a post is up to the list.
package milters

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists/intake"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/milter"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/smtp"
)

// Refusals if the filter has no words of its own, or could not be asked.
var (
	replyReject = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the message was refused by a mail filter of this site"}
	replyLater  = smtp.Reply{Code: 451, Enhanced: "4.7.1", Text: "a mail filter of this site asks to try again later"}
	replyDown   = smtp.Reply{Code: 451, Enhanced: "4.3.0", Text: "a mail filter of this site does not answer; please try again later"}
	replyUnsafe = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "a mail filter of this site does not answer, and nothing is taken without it"}
)

// Filters are a site's mail filters, as an intake.Filter.
type Filters struct {
	Site  *site.Site
	Spool *queue.Spool
	// Dial connects to a filter, and gives up at a given time.
	Dial func(to site.Target, by time.Time) (io.ReadWriteCloser, error)
	// Log gets what a filter has decided. It must not fail.
	Log func(at maillog.Level, text string)
}

// Filter asks them all.
func (f *Filters) Filter(env *smtp.Envelope, d *intake.Draft) error {
	for i := range f.Site.Milters {
		m := &f.Site.Milters[i]
		next := *d
		next.Header = slices.Clone(d.Header)
		next.Refused = slices.Clone(d.Refused)
		ask := ask{f: f, m: m, env: env, draft: &next}
		decision, err := ask.all()
		if err != nil {
			f.Log(maillog.Err, fmt.Sprintf("milter=%s id=%s default_action=%s error=%q", m.Address, d.ID, m.DefaultAction, err))
			if err := failed(m, d, err); err != nil {
				return err
			}
			continue
		}
		if decision != nil {
			f.Log(maillog.Info, fmt.Sprintf("milter=%s id=%s says=%q", m.Address, d.ID, decision))
		}
		switch decision {
		case nil, milter.Accept:
			*d = next
			if d.Unwanted() {
				return nil
			}
		case milter.Discard:
			return intake.ErrDiscard
		default:
			return refusal(decision)
		}
	}
	return nil
}

// refusal returns the reply to the client for a filter's refusal.
func refusal(decision error) error {
	switch decision {
	case milter.Reject:
		return replyReject
	case milter.Tempfail:
		return replyLater
	}
	return decision
}

// failed decides about a message whose filter has failed.
func failed(m *site.Milter, d *intake.Draft, err error) error {
	switch m.DefaultAction {
	case site.MilterAccept:
		return nil
	case site.MilterHold:
		d.Unasked = d.Hold == "" || d.Unasked
		hold(d, m, "could not be asked")
		return nil
	case site.MilterReject:
		return replyUnsafe
	}
	return fmt.Errorf("%w: milter %s: %w", replyDown, m.Address, err)
}

// maxHold is the longest reason for holding a message, in bytes: it is on one line of
// its file, which may have 1.9 KiB, together with the list's reasons.
const maxHold = 500

// hold makes a person look at a message. The words of earlier filters come first.
func hold(d *intake.Draft, m *site.Milter, words string) {
	reason := "the mail filter " + m.Address + " " + words
	if d.Hold != "" {
		reason = d.Hold + "; " + reason
	}
	reason = smtp.Clean(reason, "")
	d.Hold = reason[:min(len(reason), maxHold)]
}

// An ask is one filter asked about one message.
type ask struct {
	f      *Filters
	m      *site.Milter
	env    *smtp.Envelope
	draft  *intake.Draft
	macros map[string]string
	body   *disk.File // the new one
	check  *smtp.Checker
	size   int // of the header
	edits  int
}

// all tells the filter everything. decision is its answer about the message; err means
// that it could not be asked.
func (a *ask) all() (decision, err error) {
	conn, err := a.f.Dial(a.m.Target(), time.Now().Add(time.Duration(a.m.ConnectTimeout)))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer func() {
		if a.body != nil {
			a.body.Close()
		}
	}()
	a.macros = macros(a.f.Site, a.env, a.draft.ID)
	for _, f := range a.draft.Header {
		a.size += len(f.Raw)
	}
	c := &milter.Client{
		Macro:          func(name string) string { return a.macros[name] },
		Change:         a.change,
		CommandTimeout: time.Duration(a.m.CommandTimeout),
		ContentTimeout: time.Duration(a.m.ContentTimeout),
		TotalTimeout:   time.Duration(a.m.TotalTimeout),
	}
	if err := c.Open(conn); err != nil {
		return nil, err
	}
	decision, err = decide(a.say(c))
	c.Quit()
	if err == nil && (decision == nil || decision == milter.Accept) {
		err = a.finish()
	}
	return decision, err
}

// decide separates a filter's decision from its failure.
func decide(err error) (decision, failure error) {
	var v milter.Verdict
	var r smtp.Reply
	switch {
	case errors.As(err, &v):
		return v, nil
	case errors.As(err, &r):
		if r.Code == 421 { // the message is to come again, but the session need not end
			r.Code = 451
		}
		return r, nil
	}
	return nil, err
}

// say sends the session and the message. It leaves out our own Received, as every MTA
// does.
func (a *ask) say(c *milter.Client) error {
	if err := c.Connect(connection(a.env.Peer)); err != nil {
		return err
	}
	if err := c.Helo(a.env.Helo); err != nil {
		return err
	}
	var params []string
	if a.env.Body != "" {
		params = append(params, "BODY="+a.env.Body)
	}
	if err := c.Mail(a.env.From.String(), params...); err != nil {
		return err
	}
	if err := a.recipients(c); err != nil || a.draft.Unwanted() {
		return err
	}
	if err := c.Data(); err != nil {
		return err
	}
	for i, f := range a.draft.Header {
		if i == a.draft.Trace || f.Name == "" {
			continue
		}
		_, value, _ := bytes.Cut(f.Raw, []byte{':'})
		if err := c.Header(f.Name, strings.TrimSuffix(string(value), "\r\n")); err != nil {
			return err
		}
	}
	if err := c.EOH(); err != nil {
		return err
	}
	if _, err := a.draft.Body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := c.Body(a.draft.Body); err != nil {
		return err
	}
	return c.EOM()
}

// recipients sends the recipients. A refused one is refused alone, and not shown to
// other filters; Accept and Discard apply to the message.
func (a *ask) recipients(c *milter.Client) error {
	for i, to := range a.env.To {
		if a.draft.Refused[i] != nil {
			continue
		}
		a.macros["rcpt_addr"], a.macros["rcpt_host"] = to.Address(), to.Domain
		decision, err := decide(c.Rcpt(to.Path.String()))
		switch {
		case err != nil:
			return err
		case decision == milter.Accept, decision == milter.Discard:
			return decision
		case decision != nil:
			a.f.Log(maillog.Info, fmt.Sprintf("milter=%s id=%s to=%s says=%q", a.m.Address, a.draft.ID, to.Path, decision))
			a.draft.Refused[i] = refusal(decision)
		}
	}
	return nil
}

// connection returns the client in the protocol's form.
func connection(p smtp.Peer) milter.Connection {
	if !p.Addr.IsValid() {
		c := milter.Connection{Host: cmp.Or(p.Host, "localhost"), Family: 'U'}
		if p.Name == "unix" {
			c.Family, c.Addr = 'L', "unix"
		}
		return c
	}
	ip := p.Addr.Addr().Unmap().WithZone("")
	c := milter.Connection{Host: cmp.Or(p.Host, "["+ip.String()+"]"), Family: '4', Port: p.Addr.Port(), Addr: ip.String()}
	if ip.Is6() {
		c.Family, c.Host = '6', cmp.Or(p.Host, "[IPv6:"+ip.String()+"]")
	}
	return c
}

// macros returns the values of macros, by the names of Postfix and sendmail.
func macros(site *site.Site, env *smtp.Envelope, id string) map[string]string {
	c := connection(env.Peer)
	m := map[string]string{
		"j": site.Hostname, "daemon_name": "superlist", "v": "superlist", "i": id,
		"tls_version": env.TLS.Version, "cipher": env.TLS.Cipher, "cert_subject": env.TLS.Client,
		"auth_authen": env.Login, "mail_addr": env.From.Address(), "mail_host": env.From.Domain,
		"_": c.Host, "client_name": cmp.Or(env.Peer.Host, "unknown"), "client_ptr": cmp.Or(env.Peer.Reverse, "unknown"),
	}
	if ip := env.Peer.Addr; ip.IsValid() {
		m["client_addr"], m["client_port"] = c.Addr, strconv.Itoa(int(c.Port))
		if env.Peer.Host != "" {
			m["_"] += " [" + c.Addr + "]"
		}
	}
	return m
}

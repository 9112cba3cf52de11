package site

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"superlist/lists/config"
	"superlist/smtp"
)

// A Relay is the table [relay]: where outgoing mail is sent, and how.
type Relay struct {
	Address     string // host:port, unix:/path, lmtp:host:port, lmtp:unix:/path, maildir:/path, mx
	Verp        string // auto, xverp, self
	Batch       int    // recipients per transaction
	Connections int
	Source      string // local address of connections

	TLS      string // none, may, encrypt, verify, dane
	CAFile   string
	Resolver string // host:port; empty: from resolv.conf

	User         string
	PasswordFile string

	ConnectTimeout  config.Duration
	GreetingTimeout config.Duration
	CommandTimeout  config.Duration
	MailTimeout     config.Duration
	RcptTimeout     config.Duration
	DataTimeout     config.Duration
	BlockTimeout    config.Duration
	FinalTimeout    config.Duration
}

// Keys returns the keys that the table may have.
func (r *Relay) Keys() []config.Key {
	return []config.Key{
		{Name: "address", To: &r.Address},
		{Name: "verp", To: &r.Verp},
		{Name: "batch", To: &r.Batch},
		{Name: "connections", To: &r.Connections},
		{Name: "source", To: &r.Source},
		{Name: "tls", To: &r.TLS},
		{Name: "ca_file", To: &r.CAFile},
		{Name: "resolver", To: &r.Resolver},
		{Name: "user", To: &r.User},
		{Name: "password_file", To: &r.PasswordFile},
		{Name: "connect_timeout", To: &r.ConnectTimeout},
		{Name: "greeting_timeout", To: &r.GreetingTimeout},
		{Name: "command_timeout", To: &r.CommandTimeout},
		{Name: "mail_timeout", To: &r.MailTimeout},
		{Name: "rcpt_timeout", To: &r.RcptTimeout},
		{Name: "data_timeout", To: &r.DataTimeout},
		{Name: "block_timeout", To: &r.BlockTimeout},
		{Name: "final_timeout", To: &r.FinalTimeout},
	}
}

// Limits of [relay].
const (
	// MaxBatch is the largest number of recipients per transaction: Postfix's
	// smtpd_recipient_limit.
	MaxBatch = 1000
	// MaxConnections is the most connections at a time: a hundred, as many as
	// Postfix's default_process_limit lets in.
	MaxConnections = 100
)

func newRelay() Relay {
	return Relay{
		Address: "127.0.0.1:10026", Verp: "auto", Batch: MaxBatch, Connections: 4, TLS: "may",
		ConnectTimeout:  config.Duration(smtp.ConnectTimeout),
		GreetingTimeout: config.Duration(smtp.GreetingTimeout),
		CommandTimeout:  config.Duration(smtp.CommandTimeout),
		MailTimeout:     config.Duration(smtp.MailTimeout),
		RcptTimeout:     config.Duration(smtp.RcptTimeout),
		DataTimeout:     config.Duration(smtp.DataTimeout),
		BlockTimeout:    config.Duration(smtp.BlockTimeout),
		FinalTimeout:    config.Duration(smtp.FinalTimeout),
	}
}

// checkRelay checks [relay].
func (s *Site) checkRelay() error {
	r := &s.Relay
	t, err := r.Target()
	if err != nil {
		return s.wrong("relay.address", err.Error())
	}
	host := strings.Trim(t.Address[:max(0, strings.LastIndexByte(t.Address, ':'))], "[]")
	strict := r.TLS == "encrypt" || r.TLS == "verify" || r.TLS == "dane"
	switch {
	case r.Verp != "auto" && r.Verp != "xverp" && r.Verp != "self":
		return s.wrong("relay.verp", "must be auto, xverp or self")
	case r.Verp == "xverp" && t.Network == "mx":
		return s.wrong("relay.verp", "must be auto or self with address = \"mx\": strange servers do not offer XVERP")
	case r.Batch < 1 || r.Batch > MaxBatch:
		return s.wrong("relay.batch", fmt.Sprintf("must be from 1 to %d", MaxBatch))
	case r.Connections < 1 || r.Connections > MaxConnections:
		return s.wrong("relay.connections", fmt.Sprintf("must be from 1 to %d", MaxConnections))
	case r.Source != "" && !validIP(r.Source):
		return s.wrong("relay.source", "must be an IP address of this host")
	case r.Source != "" && t.Network != "tcp" && t.Network != "mx":
		return s.wrong("relay.source", "makes sense only where the address is host:port or mx")
	case !slices.Contains([]string{"none", "may", "encrypt", "verify", "dane"}, r.TLS):
		return s.wrong("relay.tls", "must be none, may, encrypt, verify or dane")
	case (r.TLS == "verify" || r.TLS == "dane") && t.Network == "unix":
		return s.wrong("relay.tls", "must be none, may or encrypt where the address is unix:, which has no name to verify")
	case r.TLS == "dane" && r.Resolver == "":
		return s.wrong("relay.tls", "dane needs resolver: a resolver on this host that validates DNSSEC, such as \"127.0.0.1:53\"")
	case r.TLS == "dane" && t.Network == "tcp" && validIP(host):
		return s.wrong("relay.tls", "dane needs a host name in address, or mx: there are no TLSA records for an IP address")
	case r.Resolver != "" && !validIPPort(r.Resolver):
		return s.wrong("relay.resolver", "must be ip:port, such as \"127.0.0.1:53\"")
	case r.CAFile != "" && !filepath.IsAbs(r.CAFile):
		return s.wrong("relay.ca_file", "must be a file name that begins with /")
	case r.User != "" && r.PasswordFile == "":
		return s.wrong("relay.user", "needs password_file: a file with the password in its first line")
	case r.User == "" && r.PasswordFile != "":
		return s.wrong("relay.password_file", "needs user: whose password it is")
	case r.User != "" && t.Network == "mx":
		return s.wrong("relay.user", "makes no sense with address = \"mx\": strange servers have no password for us")
	case r.User != "" && !strict:
		return s.wrong("relay.user", "needs tls = \"verify\", \"dane\" or \"encrypt\": no password is said in clear")
	case r.PasswordFile != "" && !filepath.IsAbs(r.PasswordFile):
		return s.wrong("relay.password_file", "must be a file name that begins with /")
	}
	return nil
}

func validIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

func validIPPort(s string) bool {
	_, err := netip.ParseAddrPort(s)
	return err == nil
}

// Verifies reports whether mail leaves by verified TLS or not at all, so that
// REQUIRETLS can be promised (RFC 8689). Mail for Maildirs does not leave.
func (r Relay) Verifies() bool {
	return r.TLS == "verify" || r.TLS == "dane" || strings.HasPrefix(r.Address, "maildir:")
}

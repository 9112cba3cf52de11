package site

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"superlist/lists/config"
	"superlist/lists/ledger"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/smtp"
)

// DefaultConfig is the default path of the configuration.
const DefaultConfig = "/etc/superlist/superlist.toml"

// ConfigFile returns the configuration to use: the flag's value, else
// $SUPERLIST_CONFIG, else DefaultConfig.
func ConfigFile(flag string) string {
	if flag != "" {
		return flag
	}
	if env := os.Getenv("SUPERLIST_CONFIG"); env != "" {
		return env
	}
	return DefaultConfig
}

// A Site is superlist.toml: everything that is not a list's own.
type Site struct {
	Hostname           string
	QueueDir           string
	ListsDir           string
	User               string
	MaxMessageSize     config.Size
	QueueMaxMsg        int
	QueueMinMsg        int
	ReadTimeout        config.Duration
	WriteTimeout       config.Duration
	SessionTimeout     config.Duration
	RecipientDelimiter string
	AuthservID         string
	VerifyDKIM         bool
	Resolver           string // ip:port; empty: that of the relay
	UnsubscribeURL     string // https://…; empty: none
	Once               bool   // a post for several lists reaches each of their members once
	Kick               string
	XClient            bool
	XForward           bool
	ProxyProtocol      bool
	Trusted            []string // networks, addresses, "unix", "stdin"
	DSN                bool
	BinaryMIME         bool
	Vrfy               string // maybe, lists
	HeloCheck          bool
	Log                string
	LogLevel           string
	Metrics            string // a file; empty: none are written
	RetryMin           config.Duration
	RetryMax           config.Duration
	GiveUp             config.Duration
	TLS                bool
	TLSRequired        bool
	SSLServerCrt       string
	SSLServerKey       string
	SSLVerifyClient    string
	SSLCAFile          string
	SharedDomains      []string
	MilterDiscard      bool
	Auth               Auth
	Relay              Relay
	Proxy              Proxy
	DKIM               DKIM
	Web                Web
	Cluster            Cluster
	Milters            []Milter

	Disk *disk.Disk // all changes go through it, also those of lists and queue

	// Ledger makes the writer of what lists remember. It is nil in a session, which
	// only reads.
	Ledger func(*disk.Disk) ledger.Writer

	file string
	text string
}

// Keys returns the keys that the table may have.
func (s *Site) Keys() []config.Key {
	return []config.Key{
		{Name: "hostname", To: &s.Hostname},
		{Name: "queue_dir", To: &s.QueueDir},
		{Name: "lists_dir", To: &s.ListsDir},
		{Name: "user", To: &s.User},
		{Name: "max_message_size", To: &s.MaxMessageSize},
		{Name: "queue_max_msg", To: &s.QueueMaxMsg},
		{Name: "queue_min_msg", To: &s.QueueMinMsg},
		{Name: "read_timeout", To: &s.ReadTimeout},
		{Name: "write_timeout", To: &s.WriteTimeout},
		{Name: "session_timeout", To: &s.SessionTimeout},
		{Name: "recipient_delimiter", To: &s.RecipientDelimiter},
		{Name: "authserv_id", To: &s.AuthservID},
		{Name: "verify_dkim", To: &s.VerifyDKIM},
		{Name: "resolver", To: &s.Resolver},
		{Name: "unsubscribe_url", To: &s.UnsubscribeURL},
		{Name: "once", To: &s.Once},
		{Name: "kick", To: &s.Kick},
		{Name: "xclient", To: &s.XClient},
		{Name: "xforward", To: &s.XForward},
		{Name: "proxy_protocol", To: &s.ProxyProtocol},
		{Name: "trusted", To: &s.Trusted},
		{Name: "dsn", To: &s.DSN},
		{Name: "binarymime", To: &s.BinaryMIME},
		{Name: "vrfy", To: &s.Vrfy},
		{Name: "helo_check", To: &s.HeloCheck},
		{Name: "log", To: &s.Log},
		{Name: "log_level", To: &s.LogLevel},
		{Name: "metrics", To: &s.Metrics},
		{Name: "retry_min", To: &s.RetryMin},
		{Name: "retry_max", To: &s.RetryMax},
		{Name: "give_up", To: &s.GiveUp},
		{Name: "tls", To: &s.TLS},
		{Name: "tls_required", To: &s.TLSRequired},
		{Name: "ssl_server_crt", To: &s.SSLServerCrt},
		{Name: "ssl_server_key", To: &s.SSLServerKey},
		{Name: "ssl_verify_client", To: &s.SSLVerifyClient},
		{Name: "ssl_ca_file", To: &s.SSLCAFile},
		{Name: "shared_domains", To: &s.SharedDomains},
		{Name: "milter_discard", To: &s.MilterDiscard},
		{Name: "auth", To: config.Sub{Table: &s.Auth}},
		{Name: "relay", To: config.Sub{Table: &s.Relay}},
		{Name: "proxy", To: config.Sub{Table: &s.Proxy}},
		{Name: "dkim", To: config.Sub{Table: &s.DKIM}},
		{Name: "web", To: config.Sub{Table: &s.Web}},
		{Name: "cluster", To: config.Sub{Table: &s.Cluster}},
		{Name: "milter", To: (*milterTables)(&s.Milters)},
	}
}

// Values of Proxy.Announce: our own extensions, or also those of the next hop that we
// can pass on.
const (
	AnnounceBoth = "both"
)

// maxURL is the longest unsubscribe_url: more follows it, on one line of a mail.
const maxURL = 200

// maxHostname is the longest host name: it is in every queue id, which is a file name
// and gets a little longer on its way.
const maxHostname = 160

// Load reads superlist.toml and sets defaults. Errors about its content are a
// *config.Error.
func Load(file string) (*Site, error) {
	s := &Site{
		QueueDir:           "/var/spool/superlist",
		ListsDir:           "/var/lib/superlist/lists",
		User:               "superlist",
		MaxMessageSize:     25 << 20,
		QueueMaxMsg:        20000,
		QueueMinMsg:        17000,
		ReadTimeout:        config.Duration(smtp.ReadTimeout),
		WriteTimeout:       config.Duration(smtp.WriteTimeout),
		SessionTimeout:     config.Duration(smtp.SessionTimeout),
		RecipientDelimiter: "+",
		Kick:               "127.0.0.1:10027",
		XForward:           true,
		DSN:                true,
		Vrfy:               "maybe",
		Trusted:            []string{"127.0.0.0/8", "::1", "unix"},
		Log:                "syslog",
		LogLevel:           "info",
		RetryMin:           config.Duration(queue.RetryMin),
		RetryMax:           config.Duration(queue.RetryMax),
		GiveUp:             config.Duration(queue.GiveUp),
		SSLServerCrt:       "/etc/superlist/tls.crt",
		SSLServerKey:       "/etc/superlist/tls.key",
		SSLVerifyClient:    "none",
		SharedDomains:      []string{},
		Auth:               Auth{Mechanisms: slices.Clone(authMechanisms)},
		Relay:              newRelay(),
		Proxy:              Proxy{Timeout: config.Duration(ProxyTimeout), Announce: AnnounceOwn},
		Web:                newWeb(),
		file:               file,
	}
	var err error
	if s.text, err = config.Read(file, s); err != nil {
		return nil, err
	}
	if s.Hostname == "" {
		if s.Hostname, err = os.Hostname(); err != nil {
			return nil, s.wrong("hostname", "set it to this host's mail name")
		}
	}
	return s, s.check()
}

// File returns the path that the Site was read from.
func (s *Site) File() string { return s.file }

func (s *Site) wrong(key, text string) error {
	return config.Wrong(s.file, s.text, key, text)
}

// check checks every value.
func (s *Site) check() error {
	switch {
	case len(s.Hostname) > maxHostname:
		return s.wrong("hostname", fmt.Sprintf("must not be longer than %d letters", maxHostname))
	case !smtp.ValidDomain(s.Hostname):
		return s.wrong("hostname", fmt.Sprintf("%q is not a host name", s.Hostname))
	case !filepath.IsAbs(s.QueueDir):
		return s.wrong("queue_dir", "must begin with /")
	case !filepath.IsAbs(s.ListsDir):
		return s.wrong("lists_dir", "must begin with /")
	case s.MaxMessageSize < 1<<10:
		return s.wrong("max_message_size", "must be at least 1KiB")
	case s.QueueMaxMsg < 0:
		return s.wrong("queue_max_msg", "must not be negative; 0 means no limit")
	case s.QueueMaxMsg > 0 && (s.QueueMinMsg < 1 || s.QueueMinMsg > s.QueueMaxMsg):
		key, text := "queue_min_msg", fmt.Sprintf("must be from 1 to queue_max_msg, which is %d", s.QueueMaxMsg)
		if config.LineOf(s.text, key) == 0 {
			key, text = "queue_max_msg", fmt.Sprintf("needs queue_min_msg too, from 1 to %d: it is %d unless you set it", s.QueueMaxMsg, s.QueueMinMsg)
		}
		return s.wrong(key, text)
	case len(s.RecipientDelimiter) != 1 || !strings.Contains("+-=_.", s.RecipientDelimiter):
		return s.wrong("recipient_delimiter", "must be one of + - = _ .")
	case s.Vrfy != "maybe" && s.Vrfy != "lists":
		return s.wrong("vrfy", "must be maybe or lists")
	case strings.ContainsFunc(s.AuthservID, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		return s.wrong("authserv_id", "must be one word, as your mail server writes it in Authentication-Results")
	case s.UnsubscribeURL != "" && (!strings.HasPrefix(s.UnsubscribeURL, "https://") || len(s.UnsubscribeURL) > maxURL || !smtp.IsASCII(s.UnsubscribeURL) ||
		strings.ContainsAny(s.UnsubscribeURL, "\"'<>&,# \t\r\n\\")):
		return s.wrong("unsubscribe_url", fmt.Sprintf("must begin with https:// and have at most %d characters, without spaces, quotes, commas, &, # and angle brackets", maxURL))
	case s.Resolver != "" && !validIPPort(s.Resolver):
		return s.wrong("resolver", "must be ip:port, such as \"127.0.0.1:53\"")
	case s.RetryMin > s.RetryMax:
		return s.wrong("retry_min", "must not be longer than retry_max")
	case s.Log != "syslog" && s.Log != "journal" && s.Log != "stderr" && s.Log != "none" && !filepath.IsAbs(s.Log):
		return s.wrong("log", "must be syslog, journal, stderr, none, or a file name that begins with /")
	case s.LogLevel != "debug" && s.LogLevel != "info" && s.LogLevel != "warning" && s.LogLevel != "err":
		return s.wrong("log_level", "must be debug, info, warning or err")
	case s.Metrics != "" && (!filepath.IsAbs(s.Metrics) || !strings.HasSuffix(s.Metrics, ".prom")):
		return s.wrong("metrics", "must be a file name that begins with / and ends in .prom, which node_exporter looks for")
	case s.TLSRequired && !s.TLS:
		return s.wrong("tls_required", "needs tls = true")
	case !filepath.IsAbs(s.SSLServerCrt):
		return s.wrong("ssl_server_crt", "must be a file name that begins with /")
	case !filepath.IsAbs(s.SSLServerKey):
		return s.wrong("ssl_server_key", "must be a file name that begins with /")
	case s.SSLVerifyClient != "none" && s.SSLVerifyClient != "request" && s.SSLVerifyClient != "require":
		return s.wrong("ssl_verify_client", "must be none, request or require")
	case s.SSLVerifyClient != "none" && s.SSLCAFile == "":
		return s.wrong("ssl_verify_client", "needs ssl_ca_file: who has signed the clients' certificates")
	case s.SSLCAFile != "" && !filepath.IsAbs(s.SSLCAFile):
		return s.wrong("ssl_ca_file", "must be a file name that begins with /")
	case s.Proxy.Announce != AnnounceOwn && s.Proxy.Announce != AnnounceBoth:
		return s.wrong("proxy.announce", "must be own or both")
	case s.BinaryMIME && s.Proxy.NextHop != "":
		return s.wrong("binarymime", "must be false with proxy.next_hop, which gets every message by DATA")
	case s.Proxy.NextHop != "" && s.Proxy.NextHop == s.Kick:
		return s.wrong("proxy.next_hop", "must not be the address of kick, where nobody speaks SMTP")
	}
	for _, d := range s.SharedDomains {
		if _, ok := smtp.ASCIIDomain(d); !ok {
			return s.wrong("shared_domains", fmt.Sprintf("%q is not a domain", d))
		}
	}
	if err := s.checkAuth(); err != nil {
		return err
	}
	if s.Kick != "" {
		if _, err := ParseTarget(s.Kick); err != nil {
			return s.wrong("kick", err.Error())
		}
	}
	if key, text := s.DKIM.check(); text != "" {
		return s.wrong("dkim."+key, text)
	}
	if s.Proxy.NextHop != "" {
		if _, err := ParseTarget(s.Proxy.NextHop); err != nil {
			return s.wrong("proxy.next_hop", err.Error())
		}
	}
	for _, who := range s.Trusted {
		if _, ok := network(who); !ok && who != "unix" && who != "stdin" {
			return s.wrong("trusted", fmt.Sprintf(`%q must be a network like 192.0.2.0/24, an address, "unix" or "stdin"`, who))
		}
	}
	for i := range s.Milters {
		if key, text := s.Milters[i].check(); text != "" {
			return s.wrong(fmt.Sprintf("milter[%d].%s", i, key), text)
		}
	}
	if err := s.checkWeb(); err != nil {
		return err
	}
	if err := s.checkCluster(); err != nil {
		return err
	}
	return s.checkRelay()
}

// CheckWrapper returns an error if sessions cannot begin with TLS. The PROXY protocol
// precedes TLS, and neither is understood where the other is expected: a client's hello
// would be taken for a broken header.
func (s *Site) CheckWrapper() error {
	if s.ProxyProtocol {
		return s.wrong("proxy_protocol", "is not read in front of TLS from the first byte (-tls-wrapper); start that port with -c and a configuration in which it is false, and have the proxy send no PROXY header there")
	}
	return nil
}

// DNS returns the resolver that the site names: ip:port; empty if it names none.
func (s *Site) DNS() string { return cmp.Or(s.Resolver, s.Relay.Resolver) }

// HandsOver reports whether a session may have to become superlist-session.
func (s *Site) HandsOver() bool { return s.TLS || s.HeloCheck || s.Auth.Offered() != nil }

// Shares reports whether a domain has other addresses besides those of its lists.
func (s *Site) Shares(domain string) bool {
	ascii, ok := smtp.ASCIIDomain(domain)
	return ok && slices.ContainsFunc(s.SharedDomains, func(d string) bool {
		shared, _ := smtp.ASCIIDomain(d)
		return shared == ascii
	})
}

// Spool returns the site's queue.
func (s *Site) Spool() *queue.Spool {
	return &queue.Spool{
		Dir: s.QueueDir, Host: s.Hostname, Disk: s.Disk,
		MaxMessages: s.QueueMaxMsg, MinMessages: s.QueueMinMsg,
		Backoff: queue.Backoff{
			Min: time.Duration(s.RetryMin), Max: time.Duration(s.RetryMax), GiveUp: time.Duration(s.GiveUp),
		},
	}
}

// Writer returns the writer of what lists remember; nil in a session.
func (s *Site) Writer() ledger.Writer {
	if s.Ledger == nil {
		return nil
	}
	return s.Ledger(s.Disk)
}

package outbound

import (
	"crypto/x509"
	"time"

	"superlist/queue/disk"
	"superlist/smtp/tlsclient"
)

// A Relay says where mail goes, and how: a site's table [relay], and the contents of
// the files that it names.
type Relay struct {
	Hostname string // our own
	Name     string // the relay's, for the log
	Network  string // tcp, unix, maildir or mx
	Address  string // host:port, or a path; empty with mx
	LMTP     bool
	Source   string // the local address of connections; empty: any
	Resolver string // ip:port; empty: from resolv.conf

	TLS            tlsclient.Level
	Roots          *x509.CertPool // nil: the system's
	User, Password string         // for AUTH; empty: no log-in

	VERP        string // auto, xverp, self
	Batch       int    // recipients per transaction
	Connections int    // at the same time
	Timeouts    Timeouts

	Disk   *disk.Disk // of Maildirs
	MXPort uint16     // of members' servers; 0: 25; tests use another
}

// Timeouts are a relay's: RFC 5321, 4.5.3.2.
type Timeouts struct {
	Connect, Greeting, Command, Mail, Rcpt, Data, Block, Final time.Duration
}

package outbound

import (
	"crypto/x509"
	"time"

	"superlist/queue/disk"
	"superlist/smtp/tlsclient"
)

// A Relay is where mail goes, and how: what a site's table [relay] says, and what the
// files have that it names.
type Relay struct {
	Hostname string // ours
	Name     string // the relay's, for the log
	Network  string // tcp, unix, maildir or mx
	Address  string // host:port, or a path; empty with mx
	LMTP     bool
	Source   string // the address that connections come from; empty: any
	Resolver string // ip:port; empty: that of resolv.conf

	TLS            tlsclient.Level
	Roots          *x509.CertPool // nil: the system's
	User, Password string         // for AUTH; empty: there is none

	VERP        string // auto, xverp, self
	Batch       int    // recipients in one transaction
	Connections int    // at a time
	Timeouts    Timeouts

	Disk   *disk.Disk // of Maildirs
	MXPort uint16     // of members' servers; 0: 25, and tests have another
}

// Timeouts are a relay's: RFC 5321, 4.5.3.2.
type Timeouts struct {
	Connect, Greeting, Command, Mail, Rcpt, Data, Block, Final time.Duration
}

package smtp

import "time"

// The package's limits and timeouts, each with its reason.
const (
	// MaxCommandLine is the longest command line accepted, with its CRLF. RFC 5321,
	// 4.5.3.1.4 asks for 512; Postfix accepts 2048, and a VERP return path with a long
	// member address in it needs more than 512.
	MaxCommandLine = 2048

	// MaxPath is the longest path accepted, without its brackets. RFC 5321, 4.5.3.1.3
	// asks for 256; qmail accepts 900, because VERP writes a whole address into a local
	// part.
	MaxPath = 900

	// MaxDomain is the longest domain: RFC 5321, 4.5.3.1.2 and RFC 1035, 2.3.4.
	MaxDomain = 255

	// MaxRecipients is how many recipients one message may have. RFC 5321, 4.5.3.1.8
	// asks for at least 100. A recipient here is a list, not a member, so more is a
	// mistake or abuse.
	MaxRecipients = 100

	// MaxOvershoot is how many more recipients are refused before each further one
	// counts as an error: Postfix's smtpd_recipient_overshoot_limit.
	MaxOvershoot = 1000

	// MaxReplyLine is the longest reply line sent, with its CRLF: RFC 5321, 4.5.3.1.5.
	// A longer text goes out as several lines.
	MaxReplyLine = 512

	// MaxReplyRead is the longest reply line the client reads. Real servers exceed 512,
	// but an endless line must not fill memory.
	MaxReplyRead = 4096

	// MaxReplyLines is how many lines of a reply are read: a server that never ends its
	// reply must not hold the client for ever.
	MaxReplyLines = 128

	// SoftErrors is how many refused commands a stranger may have before each reply is
	// delayed by ErrorPause: Postfix's smtpd_soft_error_limit and
	// smtpd_error_sleep_time. Guessing addresses then yields one a second. A trusted
	// peer speaks for many people and does not wait.
	SoftErrors = 10
	ErrorPause = time.Second

	// MaxErrors is how many refused commands a session may have before 421. It is
	// Postfix's smtpd_hard_error_limit.
	MaxErrors = 20

	// MaxJunk is how many commands that move no mail (NOOP, VRFY, RSET, HELP, EHLO and
	// so on) may come between two accepted messages before each counts as an error:
	// Postfix's smtpd_junk_command_limit. MAIL does not reset the count, or MAIL and
	// RSET in turn could go on for ever.
	MaxJunk = 100

	// MaxProxyLine is the longest line of the PROXY protocol, version 1, with its CRLF,
	// as the protocol defines it.
	MaxProxyLine = 107

	// MaxProxyBody is how much may follow the first sixteen bytes of version 2.
	// Addresses need 36; the TLS information that proxies add takes some hundred bytes.
	MaxProxyBody = 4096

	// MaxAttribute is the longest value of XCLIENT and XFORWARD, as written in the
	// command: Postfix's limit.
	MaxAttribute = 255

	// MaxProto is the longest protocol name in XFORWARD: Postfix's limit.
	MaxProto = 64

	// MaxSizeDigits is the length of a SIZE value: RFC 1870, 4 allows 20.
	MaxSizeDigits = 20

	// MaxAuthLine is the longest line accepted in an exchange, including AUTH itself,
	// with its CRLF: RFC 4954, 4.
	MaxAuthLine = 12288

	// MaxAuthFailures is how many failed log-ins a session may have before 421. A
	// person mistypes once or twice. A program that guesses has to reconnect, and
	// connections are counted elsewhere.
	MaxAuthFailures = 3

	// MaxAuthSteps is how many challenges one exchange may have. SCRAM needs three.
	MaxAuthSteps = 10

	// MaxAuthParam is the longest AUTH of MAIL, in xtext: RFC 4954, 3.
	MaxAuthParam = 500

	// MaxEnvID and MaxORcpt are the longest values of ENVID and ORCPT: RFC 3461,
	// 4.4 and 4.2.
	MaxEnvID = 100
	MaxORcpt = 500

	// MaxState is the largest State in bytes: a full buffer of pipelined input, the
	// longest command line, and ample room for the rest.
	MaxState = 2 * wireBuffer

	// maxComment keeps a header line within the 998 bytes that RFC 5322, 2.1.1 allows,
	// whatever is in it.
	maxComment = 500

	// wireBuffer is the read and write buffer of a connection: large enough that a big
	// message takes few system calls, and small beside the memory of a process.
	wireBuffer = 32 << 10
)

// Limits of what a Client says.
const (
	// maxClientLine is the longest command line with AUTH or the attributes of XCLIENT
	// and XFORWARD, with its CRLF: RFC 5321, 4.5.3.1.4. More goes on another line.
	maxClientLine = 512

	// maxLimitDigits is the length of a value in LIMITS: RFC 9422, 3.
	maxLimitDigits = 6

	// maxChunk is the largest message that is sent right after its RCPTs, in one chunk,
	// before the server has answered them. A larger one waits, so that a refused
	// message is not sent in vain; one round trip costs little compared to it.
	maxChunk = 256 << 10

	// inlineWrite is how much is written before anything is read. It fits into the
	// smallest socket buffer, so that the two sides cannot wait for each other (RFC
	// 2920, 3.1). Anything beyond is written by the side while replies are read.
	inlineWrite = 2 << 10

	// streamWindow is how many transactions may be in flight. It keeps the server busy
	// while our side marks outcomes, and it bounds what a broken connection leaves in
	// doubt. streamBytes is how many bytes they may have: that bounds the memory.
	streamWindow = 16
	streamBytes  = 1 << 20
)

// Timeouts that apply unless the configuration says otherwise.
const (
	// ReadTimeout is how long a server waits for the client's next bytes: RFC
	// 5321, 4.5.3.2.7 asks for at least five minutes.
	ReadTimeout = 5 * time.Minute
	// MinDataRate is how many bytes per second must arrive in the long run. A request
	// has ReadTimeout to arrive, and each MinDataRate bytes extend that by a second, so
	// that one byte a minute cannot hold a session. It is Postfix's
	// smtpd_min_data_rate, and low enough for any line that carries mail.
	MinDataRate = 500
	// ProxyTimeout is how long the whole header of the PROXY protocol may take:
	// Postfix's smtpd_upstream_proxy_timeout. The protocol asks for at least three
	// seconds, in case a segment is lost.
	ProxyTimeout = 5 * time.Second
	// WriteTimeout is how long a server tries to send its replies.
	WriteTimeout = 5 * time.Minute
	// SessionTimeout ends a session that is never idle and never done. The launcher's
	// own limit is not enough: Postfix before 3.10 does not enforce it.
	SessionTimeout = time.Hour
	// HandshakeTimeout is how long a TLS handshake may take in all: a few round trips
	// and a signature, perhaps by a slow smart card.
	HandshakeTimeout = time.Minute
	// AuthDelay is the delay of the reply to the first failed log-in. It doubles with
	// each further one.
	AuthDelay = time.Second
)

// Timeouts of the client: RFC 5321, 4.5.3.2.1 to 4.5.3.2.6.
const (
	ConnectTimeout   = 30 * time.Second // not in the RFC; Postfix's smtp_connect_timeout
	GreetingTimeout  = 5 * time.Minute
	CommandTimeout   = 5 * time.Minute // EHLO, STARTTLS, AUTH, RSET: not in the RFC
	MailTimeout      = 5 * time.Minute
	RcptTimeout      = 5 * time.Minute
	DataTimeout      = 2 * time.Minute
	BlockTimeout     = 3 * time.Minute
	FinalTimeout     = 10 * time.Minute
	lastWordsTimeout = time.Second // for a reply that has already been sent

	// A transaction as a whole has a time limit too, for a server that gives each
	// answer just in time. It grows by rcptPace for each recipient, since a server that
	// asks another one about it takes some seconds, and by a second for each
	// minSendRate bytes of the message, which is less than the slowest lines carry.
	rcptPace    = 5 * time.Second
	minSendRate = 4 << 10
)

// MaxHops is how many Received fields a message may have: RFC 5321, 6.3 asks
// for a limit of at least 100.
const MaxHops = 100

package smtp

import "time"

// Every limit and every timeout of the package stands here, with its reason.
const (
	// MaxCommandLine is the longest command line taken, CRLF included. RFC
	// 5321, 4.5.3.1.4 asks for 512; Postfix takes 2048, and a VERP return path
	// with a long member in it needs more than 512.
	MaxCommandLine = 2048

	// MaxPath is the longest path taken, without its brackets. RFC 5321,
	// 4.5.3.1.3 asks for 256; qmail takes 900, because VERP writes a whole
	// address into a local part.
	MaxPath = 900

	// MaxDomain is the longest domain: RFC 5321, 4.5.3.1.2 and RFC 1035, 2.3.4.
	MaxDomain = 255

	// MaxRecipients is how many recipients one message may have. RFC 5321,
	// 4.5.3.1.8 asks for at least 100; a recipient here is a list, not a
	// member, so more is either a mistake or abuse.
	MaxRecipients = 100

	// MaxOvershoot is how many recipients beyond that are refused before each
	// counts as an error: Postfix's smtpd_recipient_overshoot_limit.
	MaxOvershoot = 1000

	// MaxReplyLine is the longest reply line sent, CRLF included: RFC 5321,
	// 4.5.3.1.5. A longer text goes out as several lines.
	MaxReplyLine = 512

	// MaxReplyRead is the longest reply line the client reads: servers exceed
	// 512 in practice, but a line without an end must not fill memory.
	MaxReplyRead = 4096

	// MaxReplyLines is the most lines one reply may have when read: a server
	// that never ends its reply must not hold the client for ever.
	MaxReplyLines = 128

	// SoftErrors is how many refused commands a stranger may have before each
	// reply is held back for ErrorPause: Postfix's smtpd_soft_error_limit and
	// smtpd_error_sleep_time. Who guesses addresses then learns one a second. A
	// peer that is trusted speaks for many and does not wait.
	SoftErrors = 10
	ErrorPause = time.Second

	// MaxErrors is how many refused commands a session bears before 421. It is
	// Postfix's smtpd_hard_error_limit.
	MaxErrors = 20

	// MaxJunk is how many commands that move nothing (NOOP, VRFY, RSET, HELP,
	// EHLO and its kin) a session bears between two accepted messages before
	// each counts as an error: Postfix's smtpd_junk_command_limit. MAIL does not
	// begin the count anew, or MAIL and RSET in turn would go on for ever.
	MaxJunk = 100

	// MaxProxyLine is the longest line of the PROXY protocol, version 1, CRLF
	// included: so the protocol says.
	MaxProxyLine = 107

	// MaxProxyBody is how much may follow the first sixteen bytes of version 2.
	// Addresses need 36; what proxies add about TLS is some hundred bytes.
	MaxProxyBody = 4096

	// MaxAttribute is the longest value of XCLIENT and XFORWARD, as it stands in
	// the command: Postfix's limit.
	MaxAttribute = 255

	// MaxProto is the longest protocol name in XFORWARD: Postfix's limit.
	MaxProto = 64

	// MaxSizeDigits is the length of a SIZE value: RFC 1870, 4 allows 20.
	MaxSizeDigits = 20

	// MaxAuthLine is the longest line taken in an exchange, AUTH itself among
	// them, CRLF included: RFC 4954, 4.
	MaxAuthLine = 12288

	// MaxAuthFailures is how many failed attempts a session bears before 421.
	// A person mistypes once or twice; a program that guesses has to come again,
	// which is counted elsewhere.
	MaxAuthFailures = 3

	// MaxAuthSteps is how many challenges one exchange may have. SCRAM has
	// three.
	MaxAuthSteps = 10

	// MaxAuthParam is the longest AUTH of MAIL, in xtext: RFC 4954, 3.
	MaxAuthParam = 500

	// MaxEnvID and MaxORcpt are the longest values of ENVID and ORCPT: RFC 3461,
	// 4.4 and 4.2.
	MaxEnvID = 100
	MaxORcpt = 500

	// MaxState is the most bytes of a State in writing: a full buffer of pipelined
	// input, the longest command line, and what else there is many times over.
	MaxState = 2 * wireBuffer

	// maxComment keeps a line of the header within the 998 bytes that RFC 5322,
	// 2.1.1 allows, whatever is in it.
	maxComment = 500

	// wireBuffer is the read and write buffer of a connection: large enough that
	// a big message costs few system calls, small beside what a process costs
	// anyway.
	wireBuffer = 32 << 10
)

// Limits of what a Client says.
const (
	// maxClientLine is the longest command line with AUTH or the attributes of
	// XCLIENT and XFORWARD, CRLF included: RFC 5321, 4.5.3.1.4. What is longer
	// goes on another line.
	maxClientLine = 512

	// maxLimitDigits is the length of a value in LIMITS: RFC 9422, 3.
	maxLimitDigits = 6

	// maxChunk is the largest message that goes out behind its RCPTs, in one
	// chunk, without a word from the server about them. A larger one waits: what
	// may be refused is not sent for nothing, and one round trip is little
	// beside it.
	maxChunk = 256 << 10

	// inlineWrite is how much is written before anything is read. It fits into
	// the smallest socket buffer, so that the two sides cannot wait for each
	// other (RFC 2920, 3.1); what is more is written on the side while the
	// replies are read.
	inlineWrite = 2 << 10

	// streamWindow is how many transactions may be under way. It keeps the
	// server busy while our side marks outcomes, and is what a broken connection
	// leaves in doubt. streamBytes is how much they may have: what memory it
	// costs.
	streamWindow = 16
	streamBytes  = 1 << 20
)

// Timeouts that hold where the configuration says nothing.
const (
	// ReadTimeout is how long a server waits for the client's next bytes: RFC
	// 5321, 4.5.3.2.7 asks for at least five minutes.
	ReadTimeout = 5 * time.Minute
	// MinDataRate is how many bytes a second must come in the long run. A
	// request has ReadTimeout to arrive in; that many bytes give it a second
	// more, so that one byte a minute does not hold a session. It is Postfix's
	// smtpd_min_data_rate, and low enough for any line that carries mail.
	MinDataRate = 500
	// ProxyTimeout is how long the header of the PROXY protocol may take, all
	// of it: Postfix's smtpd_upstream_proxy_timeout. The protocol wants three
	// seconds at least, for a segment that is lost.
	ProxyTimeout = 5 * time.Second
	// WriteTimeout is how long a server tries to get its replies out.
	WriteTimeout = 5 * time.Minute
	// SessionTimeout ends a session that is never idle and never done. The
	// launcher's own limit cannot be relied upon: Postfix before 3.10 does not
	// enforce it.
	SessionTimeout = time.Hour
	// HandshakeTimeout is how long TLS may take to begin, all in all: a few
	// round trips and a signature, be it by a slow card.
	HandshakeTimeout = time.Minute
	// AuthDelay is how long the first failed log-in takes to be told; each
	// further one takes twice as long.
	AuthDelay = time.Second
)

// Timeouts of the client: RFC 5321, 4.5.3.2.1 to 4.5.3.2.6.
const (
	ConnectTimeout   = 30 * time.Second // no word in the RFC; Postfix's smtp_connect_timeout
	GreetingTimeout  = 5 * time.Minute
	CommandTimeout   = 5 * time.Minute // EHLO, STARTTLS, AUTH, RSET: no word in the RFC
	MailTimeout      = 5 * time.Minute
	RcptTimeout      = 5 * time.Minute
	DataTimeout      = 2 * time.Minute
	BlockTimeout     = 3 * time.Minute
	FinalTimeout     = 10 * time.Minute
	lastWordsTimeout = time.Second // for a reply that has been sent before

	// A transaction as a whole has a time, too, for a server that gives each
	// answer just in time: rcptPace more for each recipient, since to ask another
	// server whether it is there takes some seconds, and a second more for each
	// minSendRate bytes of the message, which is less than the slowest lines
	// carry.
	rcptPace    = 5 * time.Second
	minSendRate = 4 << 10
)

// MaxHops is how many Received fields a message may have: RFC 5321, 6.3 asks
// for a limit of at least 100.
const MaxHops = 100

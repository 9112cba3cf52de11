package milter

import "time"

// The package's limits, each with its reason.
const (
	// MaxSend is the most data in a packet that is sent: MILTER_MAX_DATA_SIZE.
	// libmilter refuses more.
	MaxSend = 65535

	// MaxReceive is the most data accepted in a packet. Postfix's header fields may
	// exceed MaxSend (header_size_limit), and nothing that can be negotiated exceeds 1
	// MiB (SMFIP_MDS_1M). A greater length is usually text: "GET " is 1.2 GB.
	MaxReceive = 1 << 20

	// MaxArgs is how many strings a command may have, and MaxMacros how many macros a
	// packet: enough for an address with its ESMTP parameters, and for what sendmail
	// can be asked for (50 per stage), and far too few to fill memory.
	MaxArgs   = 256
	MaxMacros = 256

	// MaxReplyLines and MaxReplyLine are libmilter's limits for SMFIR_REPLYCODE
	// (MAXREPLIES and MAXREPLYLEN). The excess is cut off.
	MaxReplyLines = 32
	MaxReplyLine  = 980

	// MaxChanges is how many packets of changes a Client accepts for one message. A
	// body of 25 MiB takes 400, so a filter that sends more is never going to end.
	MaxChanges = 20000

	// keepInMemory is how much of a body is kept in memory before it goes to disk. Most
	// mail is smaller.
	keepInMemory = 256 << 10
)

// Timeouts that apply unless set otherwise.
const (
	// IdleTimeout is how long a filter waits for the MTA's next command: libmilter's
	// MI_TIMEOUT, two hours and ten seconds. An SMTP session may be silent for long,
	// and the whole message is transferred between DATA and the first header field.
	// Leaving earlier would make the rest of the session fail.
	IdleTimeout = 7210 * time.Second
	// WriteTimeout is how long either side tries to send a packet.
	WriteTimeout = 5 * time.Minute

	// CommandTimeout and ContentTimeout are how long a Client waits for the answer to a
	// command of the envelope, or of the message, or for a progress report: Postfix's
	// milter_command_timeout and milter_content_timeout.
	CommandTimeout = 30 * time.Second
	ContentTimeout = 5 * time.Minute
	// TotalTimeout bounds everything that a Client does on one connection, however much
	// progress a filter reports: the SMTP client waits ten minutes after its final dot
	// (RFC 5321, 4.5.3.2.6).
	TotalTimeout = 8 * time.Minute

	// ProgressEvery is how often a filter reports that it is still working. Postfix can
	// be configured to wait only a few seconds.
	ProgressEvery = time.Second
)

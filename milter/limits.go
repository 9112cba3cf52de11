package milter

import "time"

// Every limit of the protocol stands here, with its reason.
const (
	// MaxSend is the most data in a packet that is sent: MILTER_MAX_DATA_SIZE.
	// libmilter refuses more.
	MaxSend = 65535

	// MaxReceive is the most data in a packet that is taken. Postfix's header
	// fields may be longer than MaxSend (header_size_limit), and nothing that
	// can be negotiated exceeds 1 MiB (SMFIP_MDS_1M). A greater length is
	// mostly text: "GET " is 1.2 GB.
	MaxReceive = 1 << 20

	// MaxArgs is how many strings a command may have, and MaxMacros how many
	// macros a packet: an address and its ESMTP parameters, or what sendmail can
	// be asked for (50 for each stage), and far from what would fill memory.
	MaxArgs   = 256
	MaxMacros = 256

	// MaxReplyLines and MaxReplyLine are libmilter's limits for the answer
	// SMFIR_REPLYCODE (MAXREPLIES and MAXREPLYLEN). What is longer is left out.
	MaxReplyLines = 32
	MaxReplyLine  = 980

	// MaxChanges is how many packets of changes a Client takes for one message:
	// a body of 25 MiB is 400 of them, so a filter that sends more never ends.
	MaxChanges = 20000

	// keepInMemory is how much of a body is kept in memory before it goes to
	// disk: most mail has less.
	keepInMemory = 256 << 10
)

// Timeouts that hold where nothing is said.
const (
	// IdleTimeout is how long a filter waits for the MTA's next command:
	// libmilter's MI_TIMEOUT, two hours and ten seconds. An SMTP session may be
	// silent for long, and between DATA and the first header field lies the
	// whole transfer of the message. Who leaves early makes the rest of the
	// session fail.
	IdleTimeout = 7210 * time.Second
	// WriteTimeout is how long either side tries to get a packet out.
	WriteTimeout = 5 * time.Minute

	// CommandTimeout and ContentTimeout are how long a Client waits for the
	// answer to a command of the envelope, and of the message, or for a sign that
	// the filter is still at it: Postfix's milter_command_timeout and
	// milter_content_timeout.
	CommandTimeout = 30 * time.Second
	ContentTimeout = 5 * time.Minute
	// TotalTimeout bounds all that a Client does on one connection, however much
	// progress a filter reports: the SMTP client waits ten minutes after its
	// final dot (RFC 5321, 4.5.3.2.6).
	TotalTimeout = 8 * time.Minute

	// ProgressEvery is how often a filter says that it is still at it. Postfix
	// can be told to wait no more than a few seconds.
	ProgressEvery = time.Second
)

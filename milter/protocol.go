package milter

import "fmt"

// The supported versions of the protocol.
const (
	MinVersion = 2
	MaxVersion = 6 // SMFI_PROT_VERSION
)

// A Verdict is a filter's answer without a text. It is an error, so that callbacks and
// Client methods can return it. An answer with a text is a smtp.Reply, and nil means
// continue.
type Verdict byte

const (
	Continue Verdict = 'c' // SMFIR_CONTINUE: continue; the same as nil
	Accept   Verdict = 'a' // SMFIR_ACCEPT: accept the whole message, even at RCPT; at CONNECT and HELO the whole connection
	Reject   Verdict = 'r' // SMFIR_REJECT: refuse permanently, in the MTA's words; at RCPT that recipient
	Tempfail Verdict = 't' // SMFIR_TEMPFAIL: refuse temporarily, in the MTA's words
	Discard  Verdict = 'd' // SMFIR_DISCARD: accept the whole message and drop it, even at RCPT; from MAIL on
	Skip     Verdict = 's' // SMFIR_SKIP, since version 6: no more of the body
)

// Answers that are not a Verdict.
const (
	replyCode  = 'y' // SMFIR_REPLYCODE: refuse, in the filter's words
	progress   = 'p' // SMFIR_PROGRESS: still working
	connFail   = 'f' // SMFIR_CONN_FAIL: no MTA handles it; never sent
	shutdown   = '4' // SMFIR_SHUTDOWN: 421; never sent, since sendmail does not know it
	optNeg     = 'O' // the answer to SMFIC_OPTNEG
	setSymList = 'l' // SMFIR_SETSYMLIST: never used; the lists are in the answer to SMFIC_OPTNEG
)

// String names the verdict.
func (v Verdict) String() string {
	switch v {
	case Continue:
		return "continue"
	case Accept:
		return "accept"
	case Reject:
		return "reject"
	case Tempfail:
		return "tempfail"
	case Discard:
		return "discard"
	case Skip:
		return "skip"
	}
	return fmt.Sprintf("verdict %q", byte(v))
}

// Error returns the same as String.
func (v Verdict) Error() string { return v.String() }

// A Kind says what a Change changes.
type Kind byte

const (
	AddRcpt      Kind = '+' // SMFIR_ADDRCPT: Addr
	AddRcptPar   Kind = '2' // SMFIR_ADDRCPT_PAR: Addr, Args
	DelRcpt      Kind = '-' // SMFIR_DELRCPT: Addr
	ChangeFrom   Kind = 'e' // SMFIR_CHGFROM: Addr, Args
	AddHeader    Kind = 'h' // SMFIR_ADDHEADER: Name, Value
	InsertHeader Kind = 'i' // SMFIR_INSHEADER: Index, Name, Value
	ChangeHeader Kind = 'm' // SMFIR_CHGHEADER: Index, Name, Value
	ReplaceBody  Kind = 'b' // SMFIR_REPLBODY: Body
	Quarantine   Kind = 'q' // SMFIR_QUARANTINE: Value, the reason
)

// Actions are the changes that a filter may make: SMFIF_*.
type Actions uint32

const (
	ActAddHeaders    Actions = 0x01  // SMFIF_ADDHDRS, also for InsertHeader
	ActChangeBody    Actions = 0x02  // SMFIF_CHGBODY
	ActAddRcpt       Actions = 0x04  // SMFIF_ADDRCPT
	ActDelRcpt       Actions = 0x08  // SMFIF_DELRCPT
	ActChangeHeaders Actions = 0x10  // SMFIF_CHGHDRS
	ActQuarantine    Actions = 0x20  // SMFIF_QUARANTINE
	ActChangeFrom    Actions = 0x40  // SMFIF_CHGFROM, version 6
	ActAddRcptPar    Actions = 0x80  // SMFIF_ADDRCPT_PAR, version 6
	ActSetSymList    Actions = 0x100 // SMFIF_SETSYMLIST, version 6: the filter asks for macros

	actionsV1  Actions = 0x0F // SMFI_V1_ACTS
	actionsV2  Actions = 0x3F // SMFI_V2_ACTS
	AllActions Actions = 0x1FF
)

// action returns the bit that must be negotiated for a change.
func (k Kind) action() Actions {
	switch k {
	case AddRcpt:
		return ActAddRcpt
	case AddRcptPar:
		return ActAddRcptPar
	case DelRcpt:
		return ActDelRcpt
	case ChangeFrom:
		return ActChangeFrom
	case AddHeader, InsertHeader:
		return ActAddHeaders
	case ChangeHeader:
		return ActChangeHeaders
	case ReplaceBody:
		return ActChangeBody
	case Quarantine:
		return ActQuarantine
	}
	return 0
}

// Protocol says what an MTA leaves out and what a filter leaves unanswered: SMFIP_*.
type Protocol uint32

const (
	NoConnect        Protocol = 0x1      // SMFIP_NOCONNECT
	NoHelo           Protocol = 0x2      // SMFIP_NOHELO
	NoMail           Protocol = 0x4      // SMFIP_NOMAIL
	NoRcpt           Protocol = 0x8      // SMFIP_NORCPT
	NoBody           Protocol = 0x10     // SMFIP_NOBODY
	NoHeaders        Protocol = 0x20     // SMFIP_NOHDRS
	NoEOH            Protocol = 0x40     // SMFIP_NOEOH
	NoReplyHeader    Protocol = 0x80     // SMFIP_NR_HDR, SMFIP_NOHREPL
	NoUnknown        Protocol = 0x100    // SMFIP_NOUNKNOWN, version 3
	NoData           Protocol = 0x200    // SMFIP_NODATA, version 4
	CanSkip          Protocol = 0x400    // SMFIP_SKIP: the MTA understands Skip
	RejectedRcpt     Protocol = 0x800    // SMFIP_RCPT_REJ: also recipients that the MTA refuses
	NoReplyConnect   Protocol = 0x1000   // SMFIP_NR_CONN
	NoReplyHelo      Protocol = 0x2000   // SMFIP_NR_HELO
	NoReplyMail      Protocol = 0x4000   // SMFIP_NR_MAIL
	NoReplyRcpt      Protocol = 0x8000   // SMFIP_NR_RCPT
	NoReplyData      Protocol = 0x10000  // SMFIP_NR_DATA
	NoReplyUnknown   Protocol = 0x20000  // SMFIP_NR_UNKN
	NoReplyEOH       Protocol = 0x40000  // SMFIP_NR_EOH
	NoReplyBody      Protocol = 0x80000  // SMFIP_NR_BODY
	LeadingSpace     Protocol = 0x100000 // SMFIP_HDR_LEADSPC: header values with their leading space
	AllProtocol      Protocol = 0x1FFFFF
	protocolZero     Protocol = 0x3F // what libmilter takes 0 for: SMFI_V1_PROT
	protocolInternal Protocol = 0x70000000
)

// A Stage groups the macros of one point of a session: SMFIM_*.
type Stage uint32

const (
	StageConnect Stage = 0 // SMFIM_CONNECT
	StageHelo    Stage = 1 // SMFIM_HELO
	StageMail    Stage = 2 // SMFIM_ENVFROM
	StageRcpt    Stage = 3 // SMFIM_ENVRCPT
	StageData    Stage = 4 // SMFIM_DATA
	StageEOM     Stage = 5 // SMFIM_EOM
	StageEOH     Stage = 6 // SMFIM_EOH; comes before the end of the message, though its number is higher
	stages             = 7
	noStage      Stage = stages
)

// Families of a client's address: SMFIA_*.
const (
	familyUnknown = 'U' // SMFIA_UNKNOWN
	familyUnix    = 'L' // SMFIA_UNIX
	familyIPv4    = '4' // SMFIA_INET
	familyIPv6    = '6' // SMFIA_INET6
)
